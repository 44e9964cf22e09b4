// Ten rounds of Philox for every four elements, some 10 cycles an element: more than memory asks
// for, little beside the layers that have a dropout between them.
#include <algorithm>

#include "core/parallel.h"
#include "kernels/dropout/dropout.h"

namespace twinage::cpu {
namespace {

constexpr Index kTaskFloats = 16384;

// `count` neighbours, the first of them at `position` of the packed tensor.
template <Write kWrite>
void drop_run(float* y, const float* x, Index count, Index position, DropoutRule rule,
              const DropoutKey& key) {
  for (Index i = 0; i < count;) {
    const Index at = static_cast<Index>(key.first) + position + i;
    const Philox4 words = dropout_words(key, static_cast<std::uint64_t>(at / 4));
    const Index end = std::min(count, i + 4 - at % 4);
    for (auto word = static_cast<std::size_t>(at % 4); i < end; ++i, ++word) {
      const float m = words[word] < rule.threshold ? 0.0F : rule.scale;
      if constexpr (kWrite == Write::overwrite)
        y[i] = x[i] * m;
      else
        y[i] += x[i] * m;
    }
  }
}

}  // namespace

void dropout(const Context& ctx, View y, ConstView x, DropoutRule rule, const DropoutKey* key,
             Write write) {
  const auto run =
      write == Write::overwrite ? drop_run<Write::overwrite> : drop_run<Write::accumulate>;
  const bool packed = y.contiguous() && x.contiguous();
  const Index size = x.shape.size(), rows = packed ? ceil_div(size, kTaskFloats) : x.shape.pixels();
  const Index row = packed ? kTaskFloats : x.shape.c;
  const Index rows_of_task = packed ? 1 : ceil_div(kTaskFloats, row);
  parallel_for(ctx.threads, ceil_div(rows, rows_of_task), [&](Index task, int) {
    const Index end = std::min(rows, (task + 1) * rows_of_task);
    for (Index r = task * rows_of_task; r < end; ++r) {
      const Index first = r * row;
      run(packed ? y.data + first : y.pixel(r), packed ? x.data + first : x.pixel(r),
          std::min(row, size - first), first, rule, *key);
    }
  });
}

}  // namespace twinage::cpu
