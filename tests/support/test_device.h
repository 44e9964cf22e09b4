// The device whose kernels a test runs, and memory that host and device both reach: one
// declaration of a test serves every backend.
//
//   TWINAGE_TEST_DEVICE=simt build/release/tests/tests_kernels
#pragma once
#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/device.h"

namespace twinage::test {

// What TWINAGE_TEST_DEVICE names (cpu, simt, cuda); cpu without it.
Device test_device();

// For tests that compare devices or go through all of them: simt, and cuda where there is a GPU or
// TWINAGE_TEST_DEVICE demands one; where neither is so, the output says that cuda was not tested.
std::vector<Device> gpu_devices();
std::vector<Device> all_devices();  // with cpu in front

// Memory that both the host and the kernels of test_device() may touch. On a GPU it is
// page-locked memory of the host, and CUDA_LAUNCH_BLOCKING=1 (tools/gpu_check.sh) makes the host
// wait for every kernel.
void* allocate_shared(std::size_t bytes);  // zeros
void free_shared(void* p, std::size_t bytes) noexcept;

// As std::vector of a fixed size, in such memory: what a kernel takes as a bare pointer.
template <class T>
class SharedVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit SharedVector(std::size_t size = 0, T value = T{})
      : data_(static_cast<T*>(allocate_shared(size * sizeof(T)))), size_(size) {
    for (std::size_t i = 0; i < size_; ++i) data_[i] = value;
  }
  SharedVector(std::initializer_list<T> values) : SharedVector(std::span(values)) {}
  explicit SharedVector(std::span<const T> values) : SharedVector(values.size()) {
    for (std::size_t i = 0; i < size_; ++i) data_[i] = values[i];
  }
  SharedVector(const SharedVector& other) : SharedVector(other.span()) {}
  SharedVector& operator=(SharedVector other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SharedVector() { free_shared(data_, size_ * sizeof(T)); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  std::span<const T> span() const { return {data_, size_}; }
  operator std::span<const T>() const { return span(); }
  bool operator==(const SharedVector& other) const {
    if (size_ != other.size_) return false;
    for (std::size_t i = 0; i < size_; ++i)
      if (!(data_[i] == other.data_[i])) return false;
    return true;
  }

 private:
  T* data_;
  std::size_t size_;
};

}  // namespace twinage::test
