// Dropout (Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
// overfitting"), scaled in training so that inference is the identity:
//
//   y[i] = x[i] * m[i],    m[i] = word(key, i) < rate * 2^32 ? 0 : 1 / (1 - rate)
//
// with i the position in the packed tensor of the whole batch (NHWC, whatever the pitch; x may be
// some of its images: key.first) and word(key, i) 32 bits of
// Philox 4x32-10 (core/random.h): a mask is a function of its key and the position alone, the same
// bits on every device and for any number of threads. So none is stored: the gradient is
//
//   dx[i] = dy[i] * m[i],
//
// which is the same operation with the same key. A NaN of x stays one, dropped or not.
// m is rounded to float32, then x * m: the same bits everywhere (with Write::accumulate a sum may
// be contracted to a fused multiply-add).
#pragma once
#include <cstdint>

#include "core/context.h"
#include "core/random.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

struct DropoutKey {
  std::uint64_t seed = 0, step = 0;  // step: below 2^32
  std::uint64_t stream = 0;          // of the layer (stream_of(name)): each has masks of its own
  std::uint64_t first = 0;           // position of x's first element: a multiple of its channels
};

// Words 4 * group ... 4 * group + 3. Other streams of the same seed (core/random.h: Random) count
// in the places where group and step stand; their stream numbers are others.
constexpr Philox4 dropout_words(const DropoutKey& key, std::uint64_t group) {
  const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  return philox({low(group), low(key.step), low(key.stream), low(key.stream >> 32)},
                {low(key.seed), low(key.seed >> 32)});
}

// A word below this drops its element; and what the others are multiplied by.
struct DropoutRule {
  std::uint32_t threshold = 0;
  float scale = 1;
};
DropoutRule dropout_rule(double rate);  // throws Error unless 0 <= rate < 1

// y = or += x * m. x and y have the same shape, at most 2^34 elements; y may be x. `key` is memory
// of the device: a recorded step (core/cuda_stream.h) reads the key that it finds there.
void dropout(const Context& ctx, View y, ConstView x, DropoutRule rule, const DropoutKey* key,
             Write write = Write::overwrite);

TWINAGE_BACKENDS(dropout)

}  // namespace twinage
