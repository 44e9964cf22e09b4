#include <algorithm>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/distance/distance.h"
#include "kernels/distance/distance_isa.h"

namespace twinage::cpu {
namespace {

const DistanceKernels& kernels() {
  return pick_isa(baseline::kDistance, avx2::kDistance, avx512::kDistance);
}

}  // namespace

void distance_pairs_forward(const Context& ctx, float* d, ConstView z,
                            std::span<const IndexPair> pairs) {
  constexpr Index kTask = 256;  // pairs
  const auto count = static_cast<Index>(pairs.size());
  const DistanceKernels& kernel = kernels();
  parallel_for(ctx.threads, ceil_div(count, kTask), [&](Index task, int) {
    const Index end = std::min(count, (task + 1) * kTask);
    for (Index p = task * kTask; p < end; ++p) {
      const auto [a, b] = pairs[static_cast<std::size_t>(p)];
      kernel.tile(d + p, 1, z.pixel(a), z.ld, 1, z.pixel(b), z.ld, 1, z.shape.c);
    }
  });
}

// A task owns some columns of dz and goes through the pairs in order: every element is a sum in
// that order, and no two tasks write to one.
void distance_pairs_backward(const Context& ctx, View dz, ConstView z,
                             std::span<const IndexPair> pairs, const float* d, const float* dd) {
  constexpr Index kColumns = 64;
  const DistanceKernels& kernel = kernels();
  parallel_for(ctx.threads, ceil_div(z.shape.c, kColumns), [&](Index task, int) {
    const Index first = task * kColumns;
    const Index count = std::min(kColumns, z.shape.c - first);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      if (d[p] == 0) continue;
      const auto [a, b] = pairs[p];
      kernel.pull(dz.pixel(a) + first, dz.pixel(b) + first, z.pixel(a) + first, z.pixel(b) + first,
                  dd[p] / d[p], count);
    }
  });
}

// Tiles of rows of a against rows of b that stay in the cache while all the tile's queries pass.
void distance_matrix(const Context& ctx, View d, ConstView a, ConstView b) {
  constexpr Index kQueries = 32;
  const Index gallery = std::clamp<Index>(32768 / a.shape.c / 4 * 4, 16, 1024);  // 128 kB
  const Index tiles_a = ceil_div(a.shape.n, kQueries), tiles_b = ceil_div(b.shape.n, gallery);
  const DistanceKernels& kernel = kernels();
  parallel_for(ctx.threads, tiles_a * tiles_b, [&](Index task, int) {
    const Index i = task / tiles_b * kQueries, j = task % tiles_b * gallery;
    kernel.tile(d.pixel(i) + j, d.ld, a.pixel(i), a.ld, std::min(kQueries, a.shape.n - i),
                b.pixel(j), b.ld, std::min(gallery, b.shape.n - j), a.shape.c);
  });
}

}  // namespace twinage::cpu
