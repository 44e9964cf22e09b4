// One fused launch over all parameters: a thread an element, strides of the grid.
#include "kernels/adadelta/adadelta.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kThreads = 256;
constexpr Index kMostBlocks = 4096;

// 4 blocks an SM: left to itself, ptxas aims at 8 and spills a register to memory.
__global__ void __launch_bounds__(kThreads, 4)
    update(float* x, float* mean_square_gradient, float* mean_square_step, const float* gradient,
           Index count, Adadelta options, float factor) {
  const float rho = options.rho, rest = 1 - options.rho;
  const Index step = static_cast<Index>(gridDim.x) * blockDim.x;
  for (Index i = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const float g = gradient[i] + options.weight_decay * x[i];
    const float mean_g2 = rho * mean_square_gradient[i] + rest * (g * g);
    const float mean_dx2 = mean_square_step[i];
    // One root of the ratio instead of two roots; see the CPU's twin.
    const float dx = -sqrtf((mean_dx2 + options.epsilon) / (mean_g2 + options.epsilon)) * g;
    mean_square_gradient[i] = mean_g2;
    mean_square_step[i] = rho * mean_dx2 + rest * (dx * dx);
    x[i] += factor * dx;
  }
}

}  // namespace

void adadelta(const Context& ctx, float* x, float* mean_square_gradient, float* mean_square_step,
              const float* gradient, Index count, const Adadelta& options, float factor) {
  if (count == 0) return;
  const Index blocks = std::min(ceil_div(count, kThreads), kMostBlocks);
  gpu::launch(ctx, "adadelta", update, dim3(static_cast<unsigned>(blocks)), dim3(kThreads), 0, x,
              mean_square_gradient, mean_square_step, gradient, count, options, factor);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
