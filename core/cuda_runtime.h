// The few calls of the CUDA runtime that core needs, so that nothing above this file includes
// CUDA's headers. In a build without CUDA every function but cuda_problem throws.
#pragma once
#include <cstddef>
#include <string>

namespace twinage {

// Why device cuda cannot be used here, in one line; empty when it can.
std::string cuda_problem();

// "NVIDIA H100 80GB HBM3, compute capability 9.0, 80 GB". Throws Error when there is none.
std::string cuda_description();

void* cuda_allocate(std::size_t bytes);  // zero-filled
void cuda_free(void* p) noexcept;
// Page-locked memory of the host, zero-filled. Copies from it run beside other work; kernels reach
// it, too, slowly.
void* cuda_allocate_pinned(std::size_t bytes);
void cuda_free_pinned(void* p) noexcept;
// Between host and device or within the device, whichever the pointers say.
void cuda_copy(void* to, const void* from, std::size_t bytes);
void cuda_set(void* p, int value, std::size_t bytes);
int cuda_count();                      // GPUs that this process sees
std::string cuda_bus_id(int ordinal);  // where in the machine it is plugged in: "0000:1B:00.0"
// The GPU that this process computes on from here. Throws Error when there is none of this number.
void cuda_select(int ordinal);
void cuda_synchronize();

// Bytes of the GPU's memory in use, by this and all other processes.
std::size_t cuda_bytes_in_use();

// Time on the GPU itself, between two marks in its stream of work.
class CudaTimer {
 public:
  CudaTimer();
  ~CudaTimer();
  CudaTimer(const CudaTimer&) = delete;
  CudaTimer& operator=(const CudaTimer&) = delete;

  void start();
  double stop_ms();  // waits for the work in between

 private:
  void* begin_ = nullptr;
  void* end_ = nullptr;
};

}  // namespace twinage
