// A warp a row; its lanes stride over the ages. A lane keeps p of its ages in the gradient's row,
// which no other lane reads.
#include "kernels/age_loss/age_loss.h"
#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr unsigned kWholeWarp = 0xffffffff;
constexpr int kWarps = 4;  // rows of a block
constexpr int kThreads = 128;

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
  for (int a = static_cast<int>(threadIdx.x); a < classes; a += 32)
    if (x[a] > best.value || best.at == classes) best = {x[a], a};
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const float value = __shfl_xor_sync(kWholeWarp, best.value, lanes);
    const int at = __shfl_xor_sync(kWholeWarp, best.at, lanes);
    if (value > best.value || (value == best.value && at < best.at)) best = {value, at};
  }
  return best;
}

// (a - age)^2 / (-2 sigma^2): log q but for its sum.
__device__ __forceinline__ float power_of(int a, float age, float sigma) {
  const float x = (static_cast<float>(a) - age) / sigma;
  return -0.5F * x * x;
}

__device__ __forceinline__ float sign_of(float x) {
  return x > 0 ? 1.0F : x < 0 ? -1.0F : 0.0F;
}

__global__ void __launch_bounds__(32 * kWarps)
    distribution_rows(float* loss, View dlogits, ConstView logits, const float* ages, float weight,
                      AgeDistributionLoss options) {
  const Index n = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (n >= logits.shape.n) return;
  const int classes = static_cast<int>(logits.shape.c), lane = static_cast<int>(threadIdx.x);
  const float* x = logits.pixel(n);
  float* d = dlogits.pixel(n);
  const float age = ages[n], sigma = options.sigma;
  if (!(age >= 0 && age <= static_cast<float>(classes - 1))) {
    if (lane == 0) loss[n] = NAN;
    for (int a = lane; a < classes; a += 32) d[a] = NAN;
    return;
  }
  // 1. p = e / sum, its mean, and the sum of q
  const Largest largest = largest_of(x, classes);
  float rest = 0, moment = 0, powers = 0;  // rest: of all but the largest, whose exponential is 1
  for (int a = lane; a < classes; a += 32) {
    const float e = expf(x[a] - largest.value);
    d[a] = e;
    if (a != largest.at) rest += e;
    moment += static_cast<float>(a) * e;
    if (sigma > 0) powers += expf(power_of(a, age, sigma));
  }
  rest = sum_of_lanes(rest);
  const float sum = 1 + rest, mean = sum_of_lanes(moment) / sum;
  // log1p: log(1 + rest) would lose the small losses of confident answers.
  const float log_rest = log1pf(rest), log_powers = logf(sum_of_lanes(powers));
  // 2. the variance
  float variance = 0;
  for (int a = lane; a < classes; a += 32) {
    d[a] /= sum;
    const float from_mean = static_cast<float>(a) - mean;
    variance += d[a] * from_mean * from_mean;
  }
  variance = sum_of_lanes(variance);
  // 3. the gradient, and KL
  const bool absolute = options.error == MeanError::absolute;
  const float off = mean - age;
  const float of_mean = options.error_weight * (absolute ? sign_of(off) : off);
  const int year = static_cast<int>(lroundf(age));
  float divergence = 0;
  for (int a = lane; a < classes; a += 32) {
    const float log_q = sigma > 0 ? power_of(a, age, sigma) - log_powers : 0.0F;
    const float q = sigma > 0 ? expf(log_q) : a == year ? 1.0F : 0.0F;
    const float behind = largest.value - x[a];  // the largest first: both may be large
    if (q > 0) divergence += q * (log_q + (behind + log_rest));
    const float p = d[a], from_mean = static_cast<float>(a) - mean;
    const float of_variance = options.variance_weight * (from_mean * from_mean - variance);
    d[a] = weight * (p - q + p * (of_mean * from_mean + of_variance));
  }
  divergence = sum_of_lanes(divergence);
  const float error = absolute ? fabsf(off) : 0.5F * off * off;
  if (lane == 0)
    loss[n] = divergence + options.error_weight * error + options.variance_weight * variance;
}

__global__ void __launch_bounds__(32 * kWarps)
    ordinal_rows(float* loss, View dlogits, ConstView logits, const std::int32_t* ranks,
                 float weight) {
  const Index n = static_cast<Index>(blockIdx.x) * kWarps + threadIdx.y;
  if (n >= logits.shape.n) return;
  const int thresholds = static_cast<int>(logits.shape.c), lane = static_cast<int>(threadIdx.x);
  const float* x = logits.pixel(n);
  const int rank = ranks[n];
  const bool fits = rank >= 0 && rank <= thresholds;
  float sum = 0;
  for (int k = lane; k < thresholds; k += 32) {
    const bool beyond = rank > k;
    const float against = beyond ? -x[k] : x[k];
    const float e = expf(-fabsf(x[k]));
    // fmaxf(NaN, 0) is 0: the exponential carries a NaN on.
    sum += fmaxf(against, 0.0F) + log1pf(e);
    const float slope = (against >= 0 ? 1.0F : e) / (1 + e);  // no cancellation near 1
    dlogits.pixel(n)[k] = fits ? weight * (beyond ? -slope : slope) : NAN;
  }
  sum = sum_of_lanes(sum);
  if (lane == 0) loss[n] = fits ? sum : NAN;
}

__global__ void __launch_bounds__(kThreads)
    absolute_errors(float* loss, View dy, ConstView y, const float* targets, float weight) {
  const Index n = static_cast<Index>(blockIdx.x) * kThreads + threadIdx.x;
  if (n >= y.shape.n) return;
  const float off = y.pixel(n)[0] - targets[n];
  loss[n] = fabsf(off);
  dy.pixel(n)[0] = off != off ? off : weight * sign_of(off);
}

dim3 blocks_of(Index rows, int of_block) {
  return dim3(static_cast<unsigned>(ceil_div(rows, of_block)));
}

}  // namespace

void age_distribution_loss(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const float* ages, float weight, const AgeDistributionLoss& options) {
  if (logits.shape.n == 0) return;
  gpu::launch(ctx, "age_distribution_loss", distribution_rows, blocks_of(logits.shape.n, kWarps),
              dim3(32, kWarps), 0, loss, dlogits, logits, ages, weight, options);
}

void ordinal_loss(const Context& ctx, float* loss, View dlogits, ConstView logits,
                  const std::int32_t* ranks, float weight) {
  if (logits.shape.n == 0) return;
  gpu::launch(ctx, "ordinal_loss", ordinal_rows, blocks_of(logits.shape.n, kWarps),
              dim3(32, kWarps), 0, loss, dlogits, logits, ranks, weight);
}

void absolute_error_loss(const Context& ctx, float* loss, View dy, ConstView y,
                         const float* targets, float weight) {
  if (y.shape.n == 0) return;
  gpu::launch(ctx, "absolute_error_loss", absolute_errors, blocks_of(y.shape.n, kThreads),
              dim3(kThreads), 0, loss, dy, y, targets, weight);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
