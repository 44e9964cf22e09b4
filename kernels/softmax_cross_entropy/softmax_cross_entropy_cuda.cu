// A warp a row; its lanes stride over the classes. Outputs may be the logits themselves: a lane
// writes only where no other lane reads.
#include "kernels/simt/simt.h"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr unsigned kWholeWarp = 0xffffffff;
constexpr int kWarps = 4;  // rows of a block

// In a fixed order, the same in every lane.
__device__ __forceinline__ float sum_of_lanes(float v) {
  for (int lanes = 16; lanes > 0; lanes /= 2) v += __shfl_xor_sync(kWholeWarp, v, lanes);
  return v;
}

struct Largest {
  float value;
  int at;  // the first of equals
};

// The largest of a row. A NaN is nowhere the largest; it shows in the sums.
__device__ __forceinline__ Largest largest_of(const float* x, int classes) {
  Largest best{-INFINITY, classes};
  for (int c = static_cast<int>(threadIdx.x); c < classes; c += 32)
    if (x[c] > best.value || best.at == classes) best = {x[c], c};
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const float value = __shfl_xor_sync(kWholeWarp, best.value, lanes);
    const int at = __shfl_xor_sync(kWholeWarp, best.at, lanes);
    if (value > best.value || (value == best.value && at < best.at)) best = {value, at};
  }
  return best;
}

__global__ void __launch_bounds__(32 * kWarps) softmax_rows(View p, ConstView logits) {
  const Index n = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (n >= logits.shape.n) return;
  const int classes = static_cast<int>(logits.shape.c), lane = static_cast<int>(threadIdx.x);
  const float* x = logits.pixel(n);
  const Largest largest = largest_of(x, classes);
  float rest = 0;  // of all but the largest, whose exponential is 1
  for (int c = lane; c < classes; c += 32)
    if (c != largest.at) rest += expf(x[c] - largest.value);
  const float sum = 1 + sum_of_lanes(rest);
  for (int c = lane; c < classes; c += 32) p.pixel(n)[c] = expf(x[c] - largest.value) / sum;
}

__global__ void __launch_bounds__(32 * kWarps)
    cross_entropy_rows(float* loss, View dlogits, ConstView logits, const std::int32_t* labels,
                       float weight) {
  const Index n = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (n >= logits.shape.n) return;
  const int classes = static_cast<int>(logits.shape.c), lane = static_cast<int>(threadIdx.x);
  const float* x = logits.pixel(n);
  float* dx = dlogits.pixel(n);
  const int label = labels[n];
  if (label < 0 || label >= classes) {
    const float value = label < 0 ? 0.0F : NAN;
    if (lane == 0) loss[n] = value;
    for (int c = lane; c < classes; c += 32) dx[c] = value;
    return;
  }
  const Largest largest = largest_of(x, classes);
  float rest = 0, others = 0;  // of all but the largest; of all but the label
  for (int c = lane; c < classes; c += 32) {
    const float e = expf(x[c] - largest.value);
    if (c != largest.at) rest += e;
    if (c != label) others += e;
  }
  rest = sum_of_lanes(rest);
  others = sum_of_lanes(others);
  const float sum = 1 + rest;
  // From the lane that owns it: nobody else reads what that lane overwrites below.
  const float own = lane == label % 32 ? x[label] : 0;
  const float behind = largest.value - __shfl_sync(kWholeWarp, own, label % 32);
  // log1p: log(1 + rest) would lose the small losses of confident answers.
  if (lane == 0) loss[n] = behind + log1pf(rest);
  // For the label, p - 1 is minus the sum of the others: no cancellation when p is near 1.
  for (int c = lane; c < classes; c += 32)
    dx[c] = weight * (c == label ? -(others / sum) : expf(x[c] - largest.value) / sum);
}

dim3 a_warp_each(Index rows) {
  return dim3(static_cast<unsigned>(ceil_div(rows, kWarps)));
}

}  // namespace

void softmax(const Context& ctx, View p, ConstView logits) {
  if (logits.shape.n == 0) return;
  gpu::launch(ctx, "softmax", softmax_rows, a_warp_each(logits.shape.n), dim3(32, kWarps), 0, p,
              logits);
}

void softmax_cross_entropy(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const std::int32_t* labels, float weight) {
  if (logits.shape.n == 0) return;
  gpu::launch(ctx, "softmax_cross_entropy", cross_entropy_rows, a_warp_each(logits.shape.n),
              dim3(32, kWarps), 0, loss, dlogits, logits, labels, weight);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
