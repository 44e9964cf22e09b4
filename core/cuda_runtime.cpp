#include "core/cuda_runtime.h"

#include <cstring>

#include "core/error.h"

#if TWINAGE_CUDA
#include <cuda_runtime_api.h>
#endif

namespace twinage {
#if TWINAGE_CUDA
namespace {

void check(cudaError_t error, const char* operation) {
  require(error == cudaSuccess, "[cuda] {} failed: {} ({})", operation, cudaGetErrorName(error),
          cudaGetErrorString(error));
}

}  // namespace

std::string cuda_problem() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return "";
  if (error == cudaErrorInsufficientDriver)
    return "this machine has no NVIDIA driver, or one older than the CUDA of this build";
  if (error == cudaSuccess || error == cudaErrorNoDevice) return "this machine has no NVIDIA GPU";
  return fmt::format("the CUDA runtime says {} ({})", cudaGetErrorName(error),
                     cudaGetErrorString(error));
}

std::string cuda_description() {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return fmt::format("{}, compute capability {}.{}, {:.0f} GB", properties.name, properties.major,
                     properties.minor, static_cast<double>(properties.totalGlobalMem) / 1e9);
}

void* cuda_allocate(std::size_t bytes) {
  void* p = nullptr;
  const cudaError_t error = cudaMalloc(&p, bytes > 0 ? bytes : 1);
  require(error != cudaErrorMemoryAllocation,
          "[memory] the GPU has no {} bytes left: use a smaller batch or preset", bytes);
  check(error, "cudaMalloc");
  cuda_set(p, 0, bytes);
  return p;
}

void cuda_free(void* p) noexcept {
  cudaFree(p);  // nothing can be done about an error here; the next call reports it
}

void* cuda_allocate_pinned(std::size_t bytes) {
  void* p = nullptr;
  check(cudaMallocHost(&p, bytes > 0 ? bytes : 1), "cudaMallocHost");
  std::memset(p, 0, bytes);
  return p;
}

void cuda_free_pinned(void* p) noexcept {
  cudaFreeHost(p);
}

void cuda_copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) check(cudaMemcpy(to, from, bytes, cudaMemcpyDefault), "cudaMemcpy");
}

void cuda_set(void* p, int value, std::size_t bytes) {
  if (bytes > 0) check(cudaMemset(p, value, bytes), "cudaMemset");
}

int cuda_count() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  return count;
}

std::string cuda_bus_id(int ordinal) {
  char text[32] = {};
  check(cudaDeviceGetPCIBusId(text, sizeof text, ordinal), "cudaDeviceGetPCIBusId");
  return text;
}

void cuda_select(int ordinal) {
  const int count = cuda_count();
  require(ordinal >= 0 && ordinal < count,
          "[device] there is no cuda:{}: this machine's {} GPUs are cuda:0 to cuda:{}", ordinal,
          count, count - 1);
  check(cudaSetDevice(ordinal), "cudaSetDevice");
}

void cuda_synchronize() {
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

std::size_t cuda_bytes_in_use() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return total - free;
}

CudaTimer::CudaTimer() {
  cudaEvent_t begin{}, end{};
  check(cudaEventCreate(&begin), "cudaEventCreate");
  begin_ = begin;
  check(cudaEventCreate(&end), "cudaEventCreate");
  end_ = end;
}

CudaTimer::~CudaTimer() {
  if (begin_ != nullptr) cudaEventDestroy(static_cast<cudaEvent_t>(begin_));
  if (end_ != nullptr) cudaEventDestroy(static_cast<cudaEvent_t>(end_));
}

void CudaTimer::start() {
  check(cudaEventRecord(static_cast<cudaEvent_t>(begin_)), "cudaEventRecord");
}

double CudaTimer::stop_ms() {
  check(cudaEventRecord(static_cast<cudaEvent_t>(end_)), "cudaEventRecord");
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(end_)), "cudaEventSynchronize");
  float ms = 0;
  check(cudaEventElapsedTime(&ms, static_cast<cudaEvent_t>(begin_), static_cast<cudaEvent_t>(end_)),
        "cudaEventElapsedTime");
  return static_cast<double>(ms);
}

#else
namespace {

constexpr const char* kNotBuilt =
    "this binary was built without CUDA: install the CUDA toolkit and build again";

}  // namespace

std::string cuda_problem() {
  return kNotBuilt;
}
std::string cuda_description() {
  fail("[cuda] {}", kNotBuilt);
}
void* cuda_allocate(std::size_t) {
  fail("[cuda] {}", kNotBuilt);
}
void cuda_free(void*) noexcept {}
void* cuda_allocate_pinned(std::size_t) {
  fail("[cuda] {}", kNotBuilt);
}
void cuda_free_pinned(void*) noexcept {}
void cuda_copy(void*, const void*, std::size_t) {
  fail("[cuda] {}", kNotBuilt);
}
void cuda_set(void*, int, std::size_t) {
  fail("[cuda] {}", kNotBuilt);
}
int cuda_count() {
  fail("[cuda] {}", kNotBuilt);
}
std::string cuda_bus_id(int) {
  fail("[cuda] {}", kNotBuilt);
}
void cuda_select(int) {
  fail("[cuda] {}", kNotBuilt);
}
void cuda_synchronize() {
  fail("[cuda] {}", kNotBuilt);
}
std::size_t cuda_bytes_in_use() {
  fail("[cuda] {}", kNotBuilt);
}
CudaTimer::CudaTimer() {
  fail("[cuda] {}", kNotBuilt);
}
CudaTimer::~CudaTimer() = default;
void CudaTimer::start() {
  fail("[cuda] {}", kNotBuilt);
}
double CudaTimer::stop_ms() {
  fail("[cuda] {}", kNotBuilt);
}
#endif

}  // namespace twinage
