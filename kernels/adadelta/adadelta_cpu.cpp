#include <algorithm>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/adadelta/adadelta_isa.h"

namespace twinage::cpu {

void adadelta(const Context& ctx, float* x, float* mean_square_gradient, float* mean_square_step,
              const float* gradient, Index count, const Adadelta& options, float factor) {
  // A multiple of every vector width, so that an element is always in the same kind of loop.
  constexpr Index kTask = 16384;
  const AdadeltaKernel update = pick_isa(baseline::kAdadelta, avx2::kAdadelta, avx512::kAdadelta);
  parallel_for(ctx.threads, ceil_div(count, kTask), [&](Index task, int) {
    const Index i = task * kTask;
    update(x + i, mean_square_gradient + i, mean_square_step + i, gradient + i,
           std::min(kTask, count - i), options, factor);
  });
}

}  // namespace twinage::cpu
