#include "core/tensor.h"

#include <algorithm>
#include <vector>

#include "core/device_memory.h"
#include "core/error.h"

namespace twinage {

Tensor::Tensor(Shape shape, Device device)
    : shape_(shape), device_(device), data_(allocate_floats(shape.size(), device)) {}

Tensor::Tensor(Shape shape, float* block, Device device)
    : shape_(shape), device_(device), data_(borrow_floats(block, shape.size(), device)) {}

void Tensor::fill(float value) {
  if (host_readable(device_)) {
    std::fill_n(data_.get(), size(), value);
  } else if (value == 0) {
    set_bytes(data_.get(), device_, 0, bytes());
  } else {
    const std::vector<float> values(static_cast<std::size_t>(size()), value);
    copy_from(values.data(), size());
  }
}

void Tensor::copy_from(const Tensor& other) {
  require(other.size() == size(), "[tensor] expected {} values for {}, got {}", size(), shape_,
          other.size());
  copy_bytes(data_.get(), device_, other.data(), other.device(), bytes());
}

void Tensor::copy_from(const float* host, Index count) {
  require(count == size(), "[tensor] expected {} values for {}, got {}", size(), shape_, count);
  copy_bytes(data_.get(), device_, host, Device::cpu, bytes());
}

void Tensor::copy_to(float* host, Index count) const {
  require(count == size(), "[tensor] expected room for {} values of {}, got {}", size(), shape_,
          count);
  copy_bytes(host, Device::cpu, data_.get(), device_, bytes());
}

}  // namespace twinage
