// Shape: the extents of a tensor of activations (N H W C) or of filters (K R S C). Functions are
// constexpr so that CUDA kernels may call them.
#pragma once
#include <cstdint>
#include <string>

namespace twinage {

using Index = std::int64_t;

struct Shape {
  // In storage order: c is contiguous. A filter bank K R S C is {n = K, h = R, w = S, c = C};
  // a matrix of M rows and K columns is {M, 1, 1, K}.
  Index n = 1, h = 1, w = 1, c = 1;

  constexpr Index size() const { return n * h * w * c; }  // number of elements
  constexpr Index pixels() const { return n * h * w; }    // number of rows of c channels
  bool operator==(const Shape&) const = default;
};

constexpr Shape matrix(Index rows, Index columns) {
  return {rows, 1, 1, columns};
}
constexpr Shape vector(Index length) {
  return {1, 1, 1, length};
}

// "(8, 35, 35, 48)"
std::string to_string(const Shape& shape);

constexpr Index ceil_div(Index a, Index b) {
  return (a + b - 1) / b;
}
constexpr Index round_up(Index a, Index multiple) {
  return ceil_div(a, multiple) * multiple;
}

}  // namespace twinage
