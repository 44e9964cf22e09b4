// A thread a group of four elements where pixels are multiples of four channels, else a thread an
// element, which then takes one word of four.
#include "kernels/dropout/dropout.h"
#include "kernels/simt/pack.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

template <int kWidth>
__global__ void __launch_bounds__(kWalkThreads)
    drop(View y, ConstView x, DropoutRule rule, const DropoutKey* key, bool accumulate) {
  const DropoutKey of_step = *key;
  for_packs<kWidth>(y.shape, [&](Index p, Index c) {
    const Index position = static_cast<Index>(of_step.first) + p * y.shape.c + c;
    const Philox4 words = dropout_words(of_step, static_cast<std::uint64_t>(position / 4));
    auto pack = load_pack<kWidth>(x.pixel(p) + c);
    const auto before = accumulate ? load_pack<kWidth>(y.pixel(p) + c) : pack_of<kWidth>(0);
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      // A register has no number at run time: the word is chosen, not indexed.
      const int at = kWidth == 4 ? i : static_cast<int>(position % 4);
      const std::uint32_t word = at == 0   ? words[0]
                                 : at == 1 ? words[1]
                                 : at == 2 ? words[2]
                                           : words[3];
      const float m = word < rule.threshold ? 0.0F : rule.scale;
      pack.v[i] = accumulate ? before.v[i] + pack.v[i] * m : pack.v[i] * m;
    }
    store_pack(y.pixel(p) + c, pack);
  });
}

}  // namespace

void dropout(const Context& ctx, View y, ConstView x, DropoutRule rule, const DropoutKey* key,
             Write write) {
  if (y.shape.size() == 0) return;
  const int width = in_fours(y) && in_fours(x) ? 4 : 1;
  const Walk walk = walk_over(y.shape, width);
  gpu::launch(ctx, "dropout", width == 4 ? drop<4> : drop<1>, walk.grid, walk.block, 0, y, x, rule,
              key, write == Write::accumulate);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
