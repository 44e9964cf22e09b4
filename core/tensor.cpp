#include "core/tensor.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace twinage {

Tensor::Tensor(Shape shape, Device device)
    : shape_(shape), device_(device), data_(allocate_floats(shape.size(), device)) {}

void Tensor::fill(float value) {
  std::fill_n(data_.get(), size(), value);
}

void Tensor::copy_from(const Tensor& other) {
  copy_from(other.data(), other.size());
}

void Tensor::copy_from(const float* host, Index count) {
  require(count == size(), "[tensor] expected {} values for {}, got {}", size(), shape_, count);
  if (count > 0) std::memcpy(data_.get(), host, static_cast<std::size_t>(count) * sizeof(float));
}

void Tensor::copy_to(float* host, Index count) const {
  require(count == size(), "[tensor] expected room for {} values of {}, got {}", size(), shape_,
          count);
  if (count > 0) std::memcpy(host, data_.get(), static_cast<std::size_t>(count) * sizeof(float));
}

}  // namespace twinage
