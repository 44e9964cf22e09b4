// Array: numbers other than floats (labels, pairs of rows, bytes of pictures) on a device.
#pragma once
#include <span>
#include <type_traits>
#include <utility>

#include "core/device_memory.h"
#include "core/error.h"

namespace twinage {

template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>, "an Array is copied byte by byte");

 public:
  Array() = default;                                              // empty
  explicit Array(std::size_t count, Device device = Device::cpu)  // zeros
      : data_(static_cast<T*>(allocate_bytes(count * sizeof(T), device))),
        count_(count),
        device_(device) {}
  ~Array() { free_bytes(data_, count_ * sizeof(T), device_); }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return count_; }
  Device device() const { return device_; }
  // Pointers of the device: only kernels of that device may follow them.
  std::span<T> span() { return {data_, count_}; }
  std::span<const T> span() const { return {data_, count_}; }

  // The whole array from and to the host. Throws Error when the sizes differ.
  void copy_from(std::span<const T> host) {
    require(host.size() == count_, "[array] expected {} values, got {}", count_, host.size());
    copy_bytes(data_, device_, host.data(), Device::cpu, count_ * sizeof(T));
  }
  void copy_to(std::span<T> host) const {
    require(host.size() == count_, "[array] expected room for {} values, got {}", count_,
            host.size());
    copy_bytes(host.data(), Device::cpu, data_, device_, count_ * sizeof(T));
  }

 private:
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    std::swap(device_, other.device_);
  }

  T* data_ = nullptr;
  std::size_t count_ = 0;
  Device device_ = Device::cpu;
};

}  // namespace twinage
