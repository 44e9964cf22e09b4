// A block an anchor finds what its triplets say of each of its pairs, in whole numbers; then, in
// another launch, every pair gathers from both its ends. No atomics.
#include "kernels/batch_loss/batch_loss_cuda.h"
#include "kernels/triplet/triplet.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

constexpr int kThreads = kAnchorThreads;

struct Batch : Faces {
  float margin, tau;
  __device__ __forceinline__ bool same_class(Index a, Index b) const { return gap(a, b) <= tau; }
};

// One face of an anchor's class, or of another, which decides the loss.
struct Hardest {
  float d;
  int at;  // -1: none

  // sign 1: of the farthest, -1: of the nearest the first; NaN before all
  __device__ __forceinline__ void merge(const Hardest& other, float sign) {
    if (other.at < 0) return;
    const bool nan = d != d, other_nan = other.d != other.d;
    const bool equal = d == other.d || (nan && other_nan);
    const bool harder = sign * other.d > sign * d || (other_nan && !nan);
    if (at < 0 || harder || (equal && other.at < at)) *this = other;
  }
};

__device__ __forceinline__ Hardest hardest_of_block(Hardest (&of_thread)[kThreads], Hardest mine,
                                                    float sign) {
  const int t = static_cast<int>(threadIdx.x);
  of_thread[t] = mine;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (t < half) of_thread[t].merge(of_thread[t + half], sign);
  }
  __syncthreads();
  return of_thread[0];
}

__global__ void __launch_bounds__(kThreads)
    hard_triplets(float* loss, Anchors anchors, Batch batch) {
  GPU_SHARED(Hardest, positive_of, [kThreads]);
  GPU_SHARED(Hardest, negative_of, [kThreads]);
  const Index a = blockIdx.x;
  Hardest positive{0, -1}, negative{0, -1};
  for (Index i = threadIdx.x; i < batch.count; i += kThreads) {
    if (i == a) continue;
    const Hardest one{batch.distance(a, i), static_cast<int>(i)};
    if (batch.same_class(a, i))
      positive.merge(one, 1);
    else
      negative.merge(one, -1);
  }
  positive = hardest_of_block(positive_of, positive, 1);
  negative = hardest_of_block(negative_of, negative, -1);
  const bool any = positive.at >= 0 && negative.at >= 0;
  const float reach = batch.margin + positive.d;
  const bool active = any && !(reach <= negative.d);
  for (Index i = threadIdx.x; i < batch.count; i += kThreads) {
    const float sign = i == positive.at ? 1.0F : i == negative.at ? -1.0F : 0.0F;
    anchors.slope[a * batch.count + i] = active ? sign : 0.0F;
  }
  if (threadIdx.x > 0) return;
  loss[a] = active ? reach - negative.d : 0.0F;
  anchors.terms[a] = any ? 1.0F : 0.0F;
  anchors.active[a] = active ? 1.0F : 0.0F;
}

enum Class : int { positive, negative, nobody };  // nobody: the anchor itself, or past the batch

// How far a face lets a triplet's other one be: m + D of a positive, D of a negative. A triplet's l
// is positive unless the positive's bound <= the negative's.
__device__ __forceinline__ Class class_of(float& bound, const Batch& batch, Index a, Index i) {
  bound = 0;
  if (i == a || i >= batch.count) return nobody;
  const bool same = batch.same_class(a, i);
  bound = same ? batch.margin + batch.distance(a, i) : batch.distance(a, i);
  return same ? positive : negative;
}

// A thread a face; the faces it may stand in a triplet with pass by in shared memory.
__global__ void __launch_bounds__(kThreads)
    all_triplets(float* loss, Anchors anchors, Batch batch) {
  GPU_SHARED(float, bound_of, [kThreads]);
  GPU_SHARED(Class, class_at, [kThreads]);
  GPU_SHARED(double, sums, [kThreads]);
  const Index a = blockIdx.x;
  const int t = static_cast<int>(threadIdx.x);
  double loss_sum = 0, active_sum = 0, triplet_sum = 0;
  for (Index first = 0; first < batch.count; first += kThreads) {
    float bound;
    const Class mine = class_of(bound, batch, a, first + t);
    float here = 0;  // few enough terms for float32
    double so_far = 0;
    int active = 0, met = 0;
    for (Index staged = 0; staged < batch.count; staged += kThreads) {
      class_at[t] = class_of(bound_of[t], batch, a, staged + t);
      __syncthreads();
      for (int i = 0; i < kThreads && mine != nobody; ++i) {
        if (class_at[i] == nobody || class_at[i] == mine) continue;
        const float of_positive = mine == positive ? bound : bound_of[i];
        const float of_negative = mine == positive ? bound_of[i] : bound;
        const bool counts = !(of_positive <= of_negative);
        here += counts ? of_positive - of_negative : 0.0F;
        active += counts ? 1 : 0;
        ++met;
      }
      so_far += here;
      here = 0;
      __syncthreads();
    }
    if (first + t < batch.count)
      anchors.slope[a * batch.count + first + t] =
          static_cast<float>(mine == positive ? active : -active);
    if (mine != positive) continue;
    loss_sum += so_far;
    active_sum += active;
    triplet_sum += met;
  }
  loss_sum = fold_block(sums, loss_sum, Plus());
  __syncthreads();
  active_sum = fold_block(sums, active_sum, Plus());
  __syncthreads();
  triplet_sum = fold_block(sums, triplet_sum, Plus());
  if (t > 0) return;
  loss[a] = static_cast<float>(loss_sum);
  anchors.active[a] = static_cast<float>(active_sum);
  anchors.terms[a] = static_cast<float>(triplet_sum);
}

}  // namespace

void triplet_loss(const Context& ctx, float* loss, float* dd, float* active, const float* d,
                  const float* age, Index batch, float weight, const Triplet& options) {
  WorkspaceScope scope(ctx.workspace);
  const Anchors anchors = anchors_in(scope, batch);
  const Batch faces = {{d, age, batch}, options.margin, options.tau};
  const dim3 grid = block_for_each_anchor(batch), block(kThreads);
  switch (options.kind) {  // here, on the host: a kernel could not fail in words
    case TripletKind::hard:
      gpu::launch(ctx, "triplet", hard_triplets, grid, block, 0, loss, anchors, faces);
      return gather_pairs(ctx, loss, dd, active, anchors, batch, weight, MeanOver::terms);
    case TripletKind::all:
      gpu::launch(ctx, "triplet", all_triplets, grid, block, 0, loss, anchors, faces);
      return gather_pairs(ctx, loss, dd, active, anchors, batch, weight, MeanOver::active);
  }
  fail_unknown_triplet(options.kind);
}

Index triplet_workspace(const Context&, Index batch) {
  return anchors_workspace(batch);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
