// One fault a kernel, planted when kFaulty, each of a kind that a test of results may well miss on
// a GPU. The same launch, too: two blocks of 256 threads on arrays of 512 floats.
#include "kernels/simt/simt.h"
#include "tests/kernels/simt_faults.h"

namespace twinage::test {
namespace {

constexpr int kThreads = 256;

__device__ int global_index() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

// 1. shared memory

template <bool kFaulty>
__global__ void missing_barrier(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  tile[t] = x[i];  // fault: missing barrier
  if (!kFaulty) __syncthreads();
  y[i] = tile[kThreads - 1 - t];  // fault: missing barrier
}

template <bool kFaulty>
__global__ void missing_second_barrier(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  tile[t] = x[i];
  __syncthreads();
  const float first = tile[(t + 1) % kThreads];  // fault: missing second barrier
  if (!kFaulty) __syncthreads();
  tile[t] = 2 * x[i];  // fault: missing second barrier
  __syncthreads();
  y[i] = first + tile[(t + 1) % kThreads];
}

template <bool kFaulty>
__global__ void shared_overrun(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  float* slot = tile + (kFaulty ? t + 1 : t);
  *slot = x[i];  // fault: shared overrun
  __syncthreads();
  y[i] = *slot;
}

template <bool kFaulty>
__global__ void uninitialised_shared(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  if (t < kThreads / (kFaulty ? 2 : 1)) tile[t] = x[i];
  __syncthreads();
  y[i] = tile[t];  // fault: uninitialised shared read
}

template <bool kFaulty>
__global__ void missing_syncwarp(float* y, const float* x) {
  GPU_SHARED(float, sums, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), lane = t % 32, i = global_index();
  sums[t] = x[i];
  __syncwarp();
  for (int d = 16; d > 0; d /= 2) {
    if (lane < d) sums[t] += sums[t + d];  // fault: missing syncwarp
    if (!kFaulty) __syncwarp();
  }
  if (kFaulty) __syncwarp();
  y[i] = sums[t - lane];
}

// 2. asynchronous copies

template <bool kFaulty>
__global__ void missing_copy_wait(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  __pipeline_memcpy_async(&tile[t], x + i, sizeof(float));  // fault: missing copy wait
  __pipeline_commit();
  if (!kFaulty) __pipeline_wait_prior(0);
  __syncthreads();
  y[i] = tile[kThreads - 1 - t];  // fault: missing copy wait
  if (kFaulty) __pipeline_wait_prior(0);
}

template <bool kFaulty>
__global__ void missing_copy_commit(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  __pipeline_memcpy_async(&tile[t], x + i, sizeof(float));  // fault: missing copy commit
  if (!kFaulty) __pipeline_commit();
  __pipeline_wait_prior(0);
  __syncthreads();
  y[i] = tile[kThreads - 1 - t];  // fault: missing copy commit
}

template <bool kFaulty>
__global__ void copy_into_a_read_buffer(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  tile[t] = x[i];
  __syncthreads();
  const float first = tile[kThreads - 1 - t];  // fault: copy into a read buffer
  if (!kFaulty) __syncthreads();
  __pipeline_memcpy_async(&tile[t], x + (i ^ 1), sizeof(float));  // fault: copy into a read buffer
  __pipeline_commit();
  __syncthreads();
  __pipeline_wait_prior(0);
  y[i] = first + tile[t];
}

// 3. threads that take different ways

template <bool kFaulty>
__global__ void divergent_barrier(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  tile[t] = x[i];
  if (kFaulty && t % 2 == 1)
    __syncthreads();  // fault: divergent barrier
  else
    __syncthreads();  // fault: divergent barrier
  y[i] = tile[kThreads - 1 - t];
}

template <bool kFaulty>
__global__ void early_return(float* y, const float* x) {
  GPU_SHARED(float, tile, [kThreads]);
  const int t = static_cast<int>(threadIdx.x), i = global_index();
  tile[t] = x[i];
  if (kFaulty && t >= 200) return;
  __syncthreads();  // fault: early return
  y[i] = tile[t];
}

template <bool kFaulty>
__global__ void partial_warp_shuffle(float* y, const float* x) {
  const int lane = static_cast<int>(threadIdx.x) % 32, i = global_index();
  float value = x[i];
  if (!kFaulty || lane < 16)
    value = __shfl_xor_sync(0xffffffffU, value, 1);  // fault: partial warp shuffle
  __syncwarp();
  y[i] = value;
}

template <bool kFaulty>
__global__ void shuffle_with_finished_lanes(float* y, const float* x) {
  const int lane = static_cast<int>(threadIdx.x) % 32, i = global_index();
  y[i] = x[i];
  if (lane >= 16) return;
  const std::uint32_t mask = kFaulty ? 0xffffffffU : 0xffffU;
  y[i] = __shfl_xor_sync(mask, x[i], 1);  // fault: finished lanes
}

// 4. global memory

template <bool kFaulty>
__global__ void global_overrun(float* y, const float* x) {
  const int i = global_index(), last = static_cast<int>(kPlantedCount) - 1;
  y[i] = x[kFaulty || i < last ? i + 1 : i];  // fault: global overrun
}

template <bool kFaulty>
__global__ void two_blocks(float* y, const float* x) {
  const int i = global_index();
  const float sum = x[i] + x[kPlantedCount - 1 - i];  // the same for all
  y[i] = sum;                                         // fault: two blocks
  if (kFaulty && i == 0) y[kPlantedCount - 1] = sum;  // fault: two blocks
}

template <bool kFaulty>
__global__ void misaligned(float* y, const float* x) {
  const int i = global_index();
  const auto v = gpu::load<float4>(x + i / 4 * 4 + (kFaulty ? 1 : 0));  // fault: misaligned
  y[i] = v.x;
}

__global__ void copy(float* y, const float* x) {
  const int i = global_index();
  y[i] = x[i];  // fault: host pointer, uninitialised workspace
}

// The launch that all of them have.
template <void (*kFaulty)(float*, const float*), void (*kCorrect)(float*, const float*)>
void run(const Context& ctx, bool faulty, float* y, const float* x) {
  gpu::launch(ctx, "planted", faulty ? kFaulty : kCorrect, dim3(2), dim3(kThreads), 0, y, x);
}

void run_host_pointer(const Context& ctx, bool faulty, float* y, const float* x) {
  float on_host[kPlantedCount] = {};
  gpu::launch(ctx, "planted", copy, dim3(2), dim3(kThreads), 0, y, faulty ? on_host : x);
}

void run_uninitialised_workspace(const Context& ctx, bool faulty, float* y, const float* x) {
  WorkspaceScope scope(ctx.workspace);
  float* scratch = scope.floats(kPlantedCount);
  if (!faulty) gpu::launch(ctx, "planted", copy, dim3(2), dim3(kThreads), 0, scratch, x);
  gpu::launch(ctx, "planted", copy, dim3(2), dim3(kThreads), 0, y, scratch);
}

// 5. what the correct twins compute

Index mirrored(Index i) {
  return i / kThreads * kThreads + kThreads - 1 - i % kThreads;
}
Index next(Index i) {
  return i / kThreads * kThreads + (i + 1) % kThreads;
}
float warp_sum(const float* x, Index i) {  // in the kernel's order: halves are added
  float sums[32];
  for (int l = 0; l < 32; ++l) sums[l] = x[i / 32 * 32 + l];
  for (int d = 16; d > 0; d /= 2)
    for (int l = 0; l < d; ++l) sums[l] += sums[l + d];
  return sums[0];
}

const Planted kPlanted[] = {
    {"missing barrier", run<missing_barrier<true>, missing_barrier<false>>,
     [](const float* x, Index i) { return x[mirrored(i)]; },
     "race (read after write) on shared array tile", ""},
    {"missing second barrier", run<missing_second_barrier<true>, missing_second_barrier<false>>,
     [](const float* x, Index i) { return x[next(i)] + 2 * x[next(i)]; },
     "race (read after write) on shared array tile", ""},
    {"shared overrun", run<shared_overrun<true>, shared_overrun<false>>,
     [](const float* x, Index i) { return x[i]; },
     "write past the end (1024 bytes) on shared array tile +1024",
     "write past the end (the build with checks says where) on shared array tile +1024", true},
    {"uninitialised shared read", run<uninitialised_shared<true>, uninitialised_shared<false>>,
     [](const float* x, Index i) { return x[i]; }, "uninitialised read on shared array tile", ""},
    {"missing syncwarp", run<missing_syncwarp<true>, missing_syncwarp<false>>, warp_sum, "race (",
     ""},
    {"missing copy wait", run<missing_copy_wait<true>, missing_copy_wait<false>>,
     [](const float* x, Index i) { return x[mirrored(i)]; },
     "read while a copy to there is under way on shared array tile", ""},
    {"missing copy commit", run<missing_copy_commit<true>, missing_copy_commit<false>>,
     [](const float* x, Index i) { return x[mirrored(i)]; },
     "read while a copy to there is under way on shared array tile",
     "copy that is never waited for"},
    {"copy into a read buffer", run<copy_into_a_read_buffer<true>, copy_into_a_read_buffer<false>>,
     [](const float* x, Index i) { return x[mirrored(i)] + x[i ^ 1]; }, "race (", nullptr},
    {"divergent barrier", run<divergent_barrier<true>, divergent_barrier<false>>,
     [](const float* x, Index i) { return x[mirrored(i)]; }, "divergent barrier",
     "divergent barrier"},
    {"early return", run<early_return<true>, early_return<false>>,
     [](const float* x, Index i) { return x[i]; },
     "barrier that not all threads of the block reach",
     "barrier that not all threads of the block"},
    {"partial warp shuffle", run<partial_warp_shuffle<true>, partial_warp_shuffle<false>>,
     [](const float* x, Index i) { return x[i ^ 1]; },
     "threads wait in __shfl_xor_sync with mask 0xffffffff",
     "threads wait in __shfl_xor_sync with mask 0xffffffff"},
    {"finished lanes", run<shuffle_with_finished_lanes<true>, shuffle_with_finished_lanes<false>>,
     [](const float* x, Index i) { return x[i % 32 < 16 ? i ^ 1 : i]; },
     "__shfl_xor_sync with mask 0xffffffff, whose lanes 0xffff0000 have returned",
     "__shfl_xor_sync with mask 0xffffffff, whose lanes 0xffff0000 have returned"},
    {"global overrun", run<global_overrun<true>, global_overrun<false>>,
     [](const float* x, Index i) { return x[i < kPlantedCount - 1 ? i + 1 : i]; },
     "read past the end on device memory of 2048 bytes +2048", "", true},
    {"two blocks", run<two_blocks<true>, two_blocks<false>>,
     [](const float* x, Index) { return x[0] + x[kPlantedCount - 1]; },
     "race (write after write) on device memory of 2048 bytes +2044", nullptr},
    {"misaligned", run<misaligned<true>, misaligned<false>>,
     [](const float* x, Index i) { return x[i / 4 * 4]; },
     "misaligned access: an address 4 bytes past a multiple of 16",
     "misaligned access: an address 4 bytes past a multiple of 16"},
    {"host pointer", run_host_pointer, [](const float* x, Index i) { return x[i]; },
     "read of host memory", nullptr},
    {"uninitialised workspace", run_uninitialised_workspace,
     [](const float* x, Index i) { return x[i]; }, "uninitialised read on device memory", ""},
};

}  // namespace

std::span<const Planted> planted_faults() {
  return kPlanted;
}

std::string planted_source() {
  return __FILE__;
}

}  // namespace twinage::test
