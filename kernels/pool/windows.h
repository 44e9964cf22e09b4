// Which pixels a window has, and which windows a pixel is in, along one axis. Integer is Index on
// the CPU and int on a GPU, which has no division of 64 bits.
#pragma once
#include <algorithm>

#include "kernels/pool/pool.h"

namespace twinage {

template <class Integer>
struct Span {
  Integer first, end;
  constexpr Integer size() const { return end - first; }
};

// Pixels of the picture in window q.
template <class Integer>
constexpr Span<Integer> pixels_of_window(Integer q, Integer extent, Pool pool) {
  const auto window = static_cast<Integer>(pool.window);
  const auto stride = static_cast<Integer>(pool.stride), pad = static_cast<Integer>(pool.pad);
  const Integer first = q * stride - pad;
  return {std::max(first, Integer{0}), std::min(first + window, extent)};
}

// Windows that contain pixel w: q * stride - pad <= w < q * stride - pad + window.
template <class Integer>
constexpr Span<Integer> windows_of_pixel(Integer w, Integer windows, Pool pool) {
  const auto window = static_cast<Integer>(pool.window);
  const auto stride = static_cast<Integer>(pool.stride), pad = static_cast<Integer>(pool.pad);
  const Integer after = w + pad - window;  // windows that start here or earlier end before w
  const Integer first = after < 0 ? 0 : after / stride + 1;
  return {first, std::min((w + pad) / stride + 1, windows)};
}

}  // namespace twinage
