// Which pixels a window has, and which windows a pixel is in, along one axis.
#pragma once
#include <algorithm>

#include "kernels/pool/pool.h"

namespace twinage {

struct Span {
  Index first, end;
  constexpr Index size() const { return end - first; }
};

// Pixels of the picture in window q.
constexpr Span pixels_of_window(Index q, Index extent, Pool pool) {
  const Index first = q * pool.stride - pool.pad;
  return {std::max<Index>(first, 0), std::min(first + pool.window, extent)};
}

// Windows that contain pixel w: q * stride - pad <= w < q * stride - pad + window.
constexpr Span windows_of_pixel(Index w, Index windows, Pool pool) {
  const Index after =
      w + pool.pad - pool.window;  // windows that start here or earlier end before w
  const Index first = after < 0 ? 0 : after / pool.stride + 1;
  return {first, std::min((w + pool.pad) / pool.stride + 1, windows)};
}

}  // namespace twinage
