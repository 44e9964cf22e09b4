// The one GPU that the process has: its buffers, its streams, and the order of their work.
#pragma once
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cuda_runtime_api.h"
#include "kernels/simt/stand_in.h"
#include "kernels/standin/buffers.h"
#include "kernels/standin/standin.h"
#include "kernels/standin/work.h"

namespace standin {

// Tells what is wrong, in one line without the prefix: to the handler, or as the last words of the
// process. Returns the error, for the call to return.
cudaError_t fault(cudaError_t error, const std::string& what);
const std::string& last_line();  // of a fault; empty after forget_line
void forget_line();

class Gpu {
 public:
  static Gpu& the();

  Buffers& buffers() { return buffers_; }
  // The stream of this handle; null after the fault that there is none.
  Stream* stream(cudaStream_t handle, const char* call);
  Stream& default_stream() { return *streams_.front(); }
  Stream& create_stream();
  bool only_default_stream() const;

  // Queues the work, or records it. asynchronous: it was asked for with a stream to name.
  cudaError_t ask(Stream& stream, std::shared_ptr<const Work> work, bool asynchronous);
  cudaError_t replay(Stream& stream, Graph& graph);
  // What work that this stream is asked for next has to wait for.
  Clock before_next(const Stream& stream) const;
  // The host waits for it, and knows from here on that it is done.
  cudaError_t wait(const Clock& clock);
  // Does the work without telling the host.
  void force(const Clock& clock);
  void force_exchange();  // the first that waits in any stream, and all before it
  void some_more();       // in the order that was drawn
  bool run_any();         // a piece of work that may be done now; false: there is none

  // cudaSuccess, or the fault that the call cannot be made while something is being recorded:
  // in the default stream, or by the thread that records.
  cudaError_t require_no_recording(const std::string& call, bool in_default_stream);
  Counts counts() const;

  std::recursive_mutex mutex;

 private:
  Gpu();

  cudaError_t check_stale(const Stream& stream, const Work& work);
  cudaError_t check_order(const Stream& stream, const Work& work, const Clock& before);
  void remember(const Stream& stream, const std::shared_ptr<const Work>& work, const Clock& before);
  bool runnable(const Stream& stream) const;
  void run_next(Stream& stream);
  void run(const Work& work, const Stream& stream);

  Buffers buffers_;
  std::vector<std::unique_ptr<Stream>> streams_;  // by number, never taken away
  Clock known_;                                   // what the host knows to be done
  std::mt19937_64 random_;
  cudaError_t failed_ = cudaSuccess;  // of a kernel: every later call says so, as on a GPU
  Counts counts_;
};

// Where a copy or a set begins and ends; adds what it reaches to `work`. Pageable memory of the
// host is none of the GPU's, and null is returned for it.
enum class Where { device, pinned, pageable, nowhere };
Where locate(Work& work, const void* p, std::size_t bytes, bool writes, std::string* problem);

// A launch as a piece of work; what is wrong with its pointers in `problem`.
std::shared_ptr<Work> kernel_work(const gpu::Launch& launch, std::span<const gpu::Argument> all,
                                  std::string* problem);

// A host access to memory that is not the host's at this moment ends the process with a line from
// here on; to be called again whenever somebody else may have taken the signal.
void watch_the_host();

}  // namespace standin
