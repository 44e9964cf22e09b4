// Work that waits in order on a GPU: streams, marks between them, recorded steps, and host memory
// that a GPU can copy from while it computes. In a build without CUDA all of them throw.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

namespace twinage {

// An order of work on the selected GPU. Waits for, and is waited for by, the copies of
// core/device_memory.h, which belong to no stream.
class CudaStream {
 public:
  CudaStream();
  ~CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  void* handle() const { return stream_; }  // cudaStream_t, for Context::stream
  // Begins a copy and returns; host memory should be pinned (PinnedMemory).
  void copy(void* to, const void* from, std::size_t bytes);
  // What is asked of this stream from here on starts after all that `other` has been asked so far.
  void wait_for(const CudaStream& other);
  void synchronize() const;

 private:
  void* stream_ = nullptr;
  void* mark_ = nullptr;
};

// Page-locked host memory: copies from it run beside the host's and the GPU's other work.
class PinnedMemory {
 public:
  explicit PinnedMemory(std::size_t bytes);
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  void* data() { return data_; }

 private:
  void* data_;
};

// The hundreds of kernels of a training step, recorded once and started with one call (a CUDA
// graph): the host's time for launching them is what a small network waits for.
class CudaGraph {
 public:
  CudaGraph() = default;
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  bool recorded() const { return executable_ != nullptr; }
  // Records what `work` asks of the stream, without doing it. Returns why it could not be
  // recorded, in one line; empty when it was. Pointers and numbers that kernels were given are
  // those of the recording: recorded work must be forgotten when memory moves.
  std::string record(const CudaStream& stream, const std::function<void()>& work);
  void launch(const CudaStream& stream);
  void forget();

 private:
  void* executable_ = nullptr;
};

}  // namespace twinage
