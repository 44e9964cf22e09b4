// Recordings of a stream and of those that join it, and their replay.
#include "core/error.h"
#include "kernels/standin/gpu.h"

using standin::fault;
using standin::Gpu;
using standin::Graph;
using standin::Recording;
using standin::Stream;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  Gpu& gpu = Gpu::the();
  const std::lock_guard lock(gpu.mutex);
  Stream* stream = gpu.stream(handle, "cudaStreamBeginCapture");
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (stream->number == 0 || stream->recording)
    return fault(cudaErrorStreamCaptureUnsupported,
                 fmt::format("cudaStreamBeginCapture of {}, which {}", stream->name(),
                             stream->number == 0 ? "cannot be recorded" : "is being recorded"));
  stream->recording = std::make_shared<Recording>();
  stream->recording->lanes = {stream};
  stream->recording->clocks.resize(1);
  stream->recording->thread = std::this_thread::get_id();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  Gpu& gpu = Gpu::the();
  const std::lock_guard lock(gpu.mutex);
  *graph = nullptr;
  Stream* stream = gpu.stream(handle, "cudaStreamEndCapture");
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (!stream->recording || stream->recording->lanes[0] != stream)
    return fault(
        cudaErrorInvalidValue,
        fmt::format("cudaStreamEndCapture of {}, which did not begin a recording", stream->name()));
  const std::shared_ptr<Recording> recording = stream->recording;
  for (Stream* lane : recording->lanes) lane->recording = nullptr;
  if (recording->invalid) return cudaErrorStreamCaptureInvalidated;  // why was told when it was
  if (const Stream* unjoined = recording->unjoined())
    return fault(
        cudaErrorStreamCaptureUnjoined,
        fmt::format("cudaStreamEndCapture of {}, which does not wait for what {} was asked "
                    "for in the recording",
                    stream->name(), unjoined->name()));
  auto made = std::make_unique<Graph>();
  made->steps = recording->steps;
  made->lanes = static_cast<unsigned>(recording->lanes.size());
  made->marks = static_cast<unsigned>(recording->marks.size());
  *graph = reinterpret_cast<cudaGraph_t>(made.release());
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  auto copy = std::make_unique<Graph>(*reinterpret_cast<const Graph*>(graph));
  *executable = reinterpret_cast<cudaGraphExec_t>(copy.release());
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  Gpu& gpu = Gpu::the();
  const std::lock_guard lock(gpu.mutex);
  Stream* stream = gpu.stream(handle, "cudaGraphLaunch");
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  const cudaError_t error = gpu.replay(*stream, *reinterpret_cast<Graph*>(executable));
  gpu.some_more();
  return error;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}

// What was launched is still done: the queues hold their work themselves.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete reinterpret_cast<Graph*>(executable);
  return cudaSuccess;
}
