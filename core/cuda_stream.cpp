#include "core/cuda_stream.h"

#include "core/cuda_runtime.h"
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

cudaStream_t raw(const CudaStream& stream) {
  return static_cast<cudaStream_t>(stream.handle());
}

}  // namespace

CudaStream::CudaStream() {
  // Not cudaStreamNonBlocking: the plain copies wait for it, and it for them.
  cudaStream_t stream{};
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  stream_ = stream;
  cudaEvent_t mark{};
  check(cudaEventCreateWithFlags(&mark, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  mark_ = mark;
}

CudaStream::~CudaStream() {
  if (mark_ != nullptr) cudaEventDestroy(static_cast<cudaEvent_t>(mark_));
  if (stream_ != nullptr) cudaStreamDestroy(raw(*this));
}

void CudaStream::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0)
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, raw(*this)), "cudaMemcpyAsync");
}

void CudaStream::wait_for(const CudaStream& other) {
  const auto mark = static_cast<cudaEvent_t>(other.mark_);
  check(cudaEventRecord(mark, raw(other)), "cudaEventRecord");
  check(cudaStreamWaitEvent(raw(*this), mark, 0), "cudaStreamWaitEvent");
}

void CudaStream::synchronize() const {
  check(cudaStreamSynchronize(raw(*this)), "cudaStreamSynchronize");
}

CudaGraph::~CudaGraph() {
  forget();
}

std::string CudaGraph::record(const CudaStream& stream, const std::function<void()>& work) {
  forget();
  cudaError_t error = cudaStreamBeginCapture(raw(stream), cudaStreamCaptureModeThreadLocal);
  std::string refused;
  if (error == cudaSuccess) {
    try {
      work();
    } catch (const std::exception& failure) {  // whatever it was: the recording has to end
      refused = failure.what();
    }
    cudaGraph_t graph = nullptr;
    error = cudaStreamEndCapture(raw(stream), &graph);
    cudaGraphExec_t executable = nullptr;
    if (error == cudaSuccess && refused.empty())
      error = cudaGraphInstantiate(&executable, graph, 0);
    if (graph != nullptr) cudaGraphDestroy(graph);
    executable_ = executable;
  }
  if (error != cudaSuccess && refused.empty()) refused = cudaGetErrorString(error);
  if (!refused.empty()) {
    cudaGetLastError();  // the error is told here; the next call starts without it
    forget();
  }
  return refused;
}

void CudaGraph::launch(const CudaStream& stream) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(executable_), raw(stream)), "cudaGraphLaunch");
}

void CudaGraph::forget() {
  if (executable_ != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable_));
  executable_ = nullptr;
}

#else
namespace {

[[noreturn]] void not_built() {
  fail("[cuda] this binary was built without CUDA: install the CUDA toolkit and build again");
}

}  // namespace

CudaStream::CudaStream() {
  not_built();
}
CudaStream::~CudaStream() = default;
void CudaStream::copy(void*, const void*, std::size_t) {
  not_built();
}
void CudaStream::wait_for(const CudaStream&) {
  not_built();
}
void CudaStream::synchronize() const {
  not_built();
}
CudaGraph::~CudaGraph() = default;
std::string CudaGraph::record(const CudaStream&, const std::function<void()>&) {
  not_built();
}
void CudaGraph::launch(const CudaStream&) {
  not_built();
}
void CudaGraph::forget() {}
#endif

PinnedMemory::PinnedMemory(std::size_t bytes) : data_(cuda_allocate_pinned(bytes)) {}

PinnedMemory::~PinnedMemory() {
  cuda_free_pinned(data_);
}

}  // namespace twinage
