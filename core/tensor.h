// Tensor: the sole owner of a block of floats, or of its part of a larger block (an arena).
// Move-only; copying is always spelled out.
#pragma once
#include <vector>

#include "core/memory.h"
#include "core/view.h"

namespace twinage {

class Tensor {
 public:
  Tensor() = default;                                         // empty: shape().size() == 0
  explicit Tensor(Shape shape, Device device = Device::cpu);  // zeros

  // In memory that another tensor owns and that lives longer; its contents stay as they are.
  Tensor(Shape shape, float* block, Device device);

  View view() { return {data_.get(), shape_}; }
  ConstView view() const { return {data_.get(), shape_}; }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  const Shape& shape() const { return shape_; }
  Index size() const { return shape_.size(); }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * sizeof(float); }
  Device device() const { return device_; }
  bool empty() const { return data_ == nullptr; }

  void fill(float value);
  // Same number of elements; the one way between host and device.
  void copy_from(const Tensor& other);
  void copy_from(const float* host, Index count);
  void copy_to(float* host, Index count) const;

 private:
  Shape shape_{0, 0, 0, 0};
  Device device_ = Device::cpu;
  Floats data_;
};

}  // namespace twinage
