// CUDA's functions, but for those of graphs and errors.
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "core/error.h"
#include "core/simt_memory.h"
#include "kernels/standin/gpu.h"

namespace standin {
namespace {

constexpr std::size_t kDeviceBytes = std::size_t{16} << 30;  // core/simt_memory.cpp's region

// Every call of the runtime holds the one lock; other work may happen meanwhile.
class Call {
 public:
  Call() : gpu(Gpu::the()), lock_(gpu.mutex) {}
  ~Call() { gpu.some_more(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Gpu& gpu;

 private:
  std::lock_guard<std::recursive_mutex> lock_;
};

Event& of(cudaEvent_t event) {
  return *reinterpret_cast<Event*>(event);
}

cudaError_t allocate(void** p, std::size_t bytes, bool pinned) {
  Call call;
  const std::string name =
      fmt::format("{} of {} bytes", pinned ? "cudaMallocHost" : "cudaMalloc", bytes);
  if (const cudaError_t error = call.gpu.require_no_recording(name, false)) return error;
  watch_the_host();
  const Buffer* buffer = call.gpu.buffers().allocate(bytes, pinned);
  if (buffer == nullptr) return cudaErrorMemoryAllocation;
  *p = reinterpret_cast<void*>(buffer->range.begin);
  return cudaSuccess;
}

// CUDA's own functions wait for the device here, and promise it nowhere. So the default stream's
// work, such as the zeros of an allocation, is waited for; work of a stream is a fault.
cudaError_t release(void* p, bool pinned) {
  if (p == nullptr) return cudaSuccess;
  Call call;
  Gpu& gpu = call.gpu;
  const char* name = pinned ? "cudaFreeHost" : "cudaFree";
  if (const cudaError_t error = gpu.require_no_recording(name, false)) return error;
  Buffer* buffer = gpu.buffers().holding(p);
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  if (buffer == nullptr || buffer->pinned != pinned || buffer->range.begin != at)
    return fault(cudaErrorInvalidValue,
                 buffer == nullptr ? fmt::format("{} of a pointer {}", name, gpu.buffers().text(p))
                                   : fmt::format("{} of a pointer into {}", name, buffer->name()));
  for (const Use& u : buffer->uses)
    if (u.stream != 0)
      return fault(
          cudaErrorUnknown,
          fmt::format("{} of {} while {} on stream {}, which {} it, may not be done: "
                      "synchronise first",
                      name, buffer->name(), u.work->call, u.stream, u.writes ? "writes" : "reads"));
  gpu.force(gpu.default_stream().clock);
  gpu.buffers().free(buffer);
  return cudaSuccess;
}

cudaError_t synchronize(const char* name, Stream& stream) {
  Gpu& gpu = Gpu::the();
  if (stream.recording) {
    stream.recording->invalid = true;
    return fault(cudaErrorStreamCaptureUnsupported,
                 fmt::format("{} of {} while it is being recorded: a graph cannot hold it", name,
                             stream.name()));
  }
  if (stream.number == 0)
    if (const cudaError_t error = gpu.require_no_recording(name, true)) return error;
  return gpu.wait(gpu.before_next(stream));
}

void launch(const gpu::Launch& launch, const gpu::Argument* arguments, std::size_t count,
            void* handle) {
  gpu::require_valid(launch);
  Call call;
  std::string problem;
  auto work = kernel_work(launch, {arguments, count}, &problem);
  Stream* stream = call.gpu.stream(static_cast<cudaStream_t>(handle), work->call.c_str());
  cudaError_t error = cudaErrorInvalidResourceHandle;
  if (!problem.empty())
    error = fault(cudaErrorUnknown, problem);
  else if (stream != nullptr)
    error = call.gpu.ask(*stream, std::move(work), true);
  twinage::require(error == cudaSuccess, "[{}] the GPU refused the kernel: {} ({})",
                   launch.operation, cudaGetErrorName(error), cudaGetErrorString(error));
}

// Asked by the threads of the host that run a kernel, while the one that started it holds the lock.
bool reaches(const void* p, std::size_t bytes) {
  const Buffer* buffer = Gpu::the().buffers().holding(p);
  return buffer != nullptr && buffer->range.covers({reinterpret_cast<std::uintptr_t>(p), bytes});
}

constexpr gpu::StandIn kStandIn{launch, reaches};
[[maybe_unused]] const bool kInstalled = [] {
  gpu::set_stand_in(&kStandIn);
  return true;
}();

}  // namespace
}  // namespace standin

using standin::Call;
using standin::Event;
using standin::fault;
using standin::Gpu;
using standin::Stream;
using standin::Where;
using standin::Work;

// 1. the device

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

// Another one in each process, as a launcher shares GPUs out, unless TWINAGE_STANDIN_BUS says
// which.
cudaError_t cudaDeviceGetPCIBusId(char* text, int bytes, int device) {
  if (device != 0 || bytes < 1) return cudaErrorInvalidDevice;
  const char* told = std::getenv("TWINAGE_STANDIN_BUS");
  const std::string name =
      told != nullptr ? std::string(told) : fmt::format("stand-in:{}", ::getpid());
  std::strncpy(text, name.c_str(), static_cast<std::size_t>(bytes) - 1);
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return cudaErrorInvalidDevice;
  std::strncpy(properties->name, "no GPU but a stand-in for one (kernels/standin)",
               sizeof properties->name - 1);
  properties->totalGlobalMem = standin::kDeviceBytes;
  properties->major = 8;
  properties->minor = 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  Call call;
  const char* name = "cudaDeviceSynchronize";
  if (const cudaError_t error = call.gpu.require_no_recording(name, true)) return error;
  return call.gpu.wait(call.gpu.before_next(call.gpu.default_stream()));
}

// 2. memory

cudaError_t cudaMalloc(void** p, std::size_t bytes) {
  return standin::allocate(p, bytes, false);
}

cudaError_t cudaFree(void* p) {
  return standin::release(p, false);
}

cudaError_t cudaMallocHost(void** p, std::size_t bytes) {
  return standin::allocate(p, bytes, true);
}

cudaError_t cudaFreeHost(void* p) {
  return standin::release(p, true);
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  Call call;
  *total = standin::kDeviceBytes;
  *free = *total - call.gpu.buffers().bytes_on_device();
  return cudaSuccess;
}

// Between two places of the device it returns at once, and nothing else does.
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  Call call;
  Gpu& gpu = call.gpu;
  if (const cudaError_t error = gpu.require_no_recording("cudaMemcpy", true)) return error;
  auto work = std::make_shared<Work>(Work::Kind::copy, "cudaMemcpy");
  work->to = to;
  work->from = from;
  work->bytes = bytes;
  std::string problem;
  const Where target = locate(*work, to, bytes, true, &problem);
  const Where source = locate(*work, from, bytes, false, &problem);
  if (!problem.empty()) return fault(cudaErrorInvalidValue, problem);
  if (const cudaError_t error = gpu.ask(gpu.default_stream(), work, false)) return error;
  if (target == Where::device && source == Where::device) return cudaSuccess;
  return gpu.wait(gpu.default_stream().clock);
}

// Returns before it is done.
cudaError_t cudaMemset(void* p, int value, std::size_t bytes) {
  Call call;
  auto work = std::make_shared<Work>(Work::Kind::set, "cudaMemset");
  work->to = p;
  work->value = value;
  work->bytes = bytes;
  std::string problem;
  if (locate(*work, p, bytes, true, &problem) == Where::pageable)
    problem = "cudaMemset of pageable memory of the host";
  if (!problem.empty()) return fault(cudaErrorInvalidValue, problem);
  return call.gpu.ask(call.gpu.default_stream(), std::move(work), false);
}

// CUDA copies from and to pageable memory as well, but not beside the host: what a stream was made
// for is lost, and the host may be at the memory before the copy is.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t handle) {
  Call call;
  Stream* stream = call.gpu.stream(handle, "cudaMemcpyAsync");
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  auto work = std::make_shared<Work>(Work::Kind::copy, "cudaMemcpyAsync");
  work->to = to;
  work->from = from;
  work->bytes = bytes;
  std::string problem;
  if (locate(*work, to, bytes, true, &problem) == Where::pageable)
    problem = fmt::format("cudaMemcpyAsync on {} of {} bytes to pageable memory of the host",
                          stream->name(), bytes);
  if (locate(*work, from, bytes, false, &problem) == Where::pageable)
    problem = fmt::format(
        "cudaMemcpyAsync on {} of {} bytes from pageable memory of the host{}", stream->name(),
        bytes, work->reaches.empty() ? "" : " to " + call.gpu.buffers().holding(to)->name());
  if (!problem.empty()) return fault(cudaErrorInvalidValue, problem);
  return call.gpu.ask(*stream, std::move(work), true);
}

// 3. streams and events

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  Call call;
  *stream = reinterpret_cast<cudaStream_t>(&call.gpu.create_stream());
  return cudaSuccess;
}

// What it was asked for is still done.
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  Call call;
  Stream* stream = call.gpu.stream(handle, "cudaStreamDestroy");
  if (stream == nullptr || stream->number == 0) return cudaErrorInvalidResourceHandle;
  stream->open = false;
  stream->recording = nullptr;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  Call call;
  Stream* stream = call.gpu.stream(handle, "cudaStreamSynchronize");
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  return standin::synchronize("cudaStreamSynchronize", *stream);
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, 0);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  auto created = std::make_unique<Event>();
  created->timing = (flags & cudaEventDisableTiming) == 0;
  *event = reinterpret_cast<cudaEvent_t>(created.release());
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete &standin::of(event);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  Call call;
  Stream* stream = call.gpu.stream(stream_handle, "cudaEventRecord");
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  Event& event = standin::of(handle);
  event.recorded = true;
  event.recording = stream->recording;
  if (event.recording) {
    event.mark = event.recording->mark(*stream);
    return cudaSuccess;
  }
  if (event.timing) {
    auto work = std::make_shared<Work>(Work::Kind::stamp, "cudaEventRecord");
    work->passed_at = event.passed_at = std::make_shared<double>(0.0);
    if (const cudaError_t error = call.gpu.ask(*stream, std::move(work), false)) return error;
  }
  event.clock = call.gpu.before_next(*stream);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  Call call;
  const Event& event = standin::of(handle);
  if (event.recording)
    return fault(cudaErrorStreamCaptureUnsupported,
                 "cudaEventSynchronize of an event that lies in a recording");
  return call.gpu.wait(event.clock);
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end) {
  Call call;
  const Event &first = standin::of(begin), &last = standin::of(end);
  if (!first.passed_at || !last.passed_at) return cudaErrorInvalidResourceHandle;
  if (*first.passed_at == 0.0 || *last.passed_at == 0.0) return cudaErrorNotReady;
  *ms = static_cast<float>(*last.passed_at - *first.passed_at);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned) {
  Call call;
  Stream* stream = call.gpu.stream(handle, "cudaStreamWaitEvent");
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  const Event& event = standin::of(event_handle);
  if (!event.recorded)
    return fault(cudaErrorUnknown,
                 fmt::format("cudaStreamWaitEvent of {} for an event that was never recorded: it "
                             "waits for nothing",
                             stream->name()));
  if (!event.recording && !stream->recording) {
    stream->clock.join(event.clock);
    return cudaSuccess;
  }
  // A stream that waits for a recorded mark is recorded from there on, too.
  const bool lasts = event.recording && event.recording->lanes[0]->recording == event.recording;
  if (!lasts || stream->number == 0 ||
      (stream->recording && stream->recording != event.recording)) {
    if (stream->recording) stream->recording->invalid = true;
    return fault(
        cudaErrorStreamCaptureIsolation,
        fmt::format("cudaStreamWaitEvent of {} across the edge of a recording", stream->name()));
  }
  event.recording->wait(*stream, event.mark);
  stream->recording = event.recording;
  return cudaSuccess;
}
