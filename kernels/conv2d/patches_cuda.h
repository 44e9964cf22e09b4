// The operands of a convolution as a matrix product (implicit GEMM). The patch that an output pixel
// sees, R x S pixels of C channels, would be one line of a matrix of N*P*Q lines and R*S*C places.
// That matrix is never written: PatchSource finds its elements where they lie in the picture.
#pragma once
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/fast_divide.h"
#include "kernels/product/operand_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

// A correlation of N pictures of H x W pixels with a window of R x S taps:
//   y[n, p, q] = sum over r, s of x[n, p * stride - top + r, q * stride - left + s] * w[r, s]
// top and left may be negative: the window then starts inside the picture.
struct Geometry {
  Index N, H, W, C, P, Q, R, S, stride, top, left;

  Index pixels() const { return N * P * Q; }
  Index terms() const { return R * S * C; }
};

// Lines: output pixels. Places: terms (r, s, c).
template <Major major>
class PatchSource {
 public:
  static constexpr Major kMajor = major;
  struct Line {
    const float* picture;
    int row, column;  // of x, under the window's first tap
  };
  struct Place {
    int r, s, c;
  };

  PatchSource(ConstView x, const Geometry& g)
      : vector(float4_allowed(x.data, x.ld, g.C)),
        x_(x.data),
        ld_(x.ld),
        H_(static_cast<int>(g.H)),
        W_(static_cast<int>(g.W)),
        stride_(static_cast<int>(g.stride)),
        top_(static_cast<int>(g.top)),
        left_(static_cast<int>(g.left)),
        pixels_(static_cast<int>(g.pixels())),
        terms_(static_cast<int>(g.terms())),
        by_picture_(std::max<Index>(g.P * g.Q, 1)),
        by_row_(std::max<Index>(g.Q, 1)),
        by_tap_(g.C),
        by_tap_row_(std::max<Index>(g.S, 1)) {}

  __device__ Line line(int pixel) const {
    if (pixel >= pixels_) return {x_, kOutside, 0};
    const int n = by_picture_.quotient(pixel), pq = by_picture_.remainder(pixel, n);
    const int p = by_row_.quotient(pq), q = by_row_.remainder(pq, p);
    return {x_ + Index{n} * H_ * W_ * ld_, p * stride_ - top_, q * stride_ - left_};
  }
  __device__ Place place(int term) const {
    if (term >= terms_) return {kOutside, 0, 0};
    const int tap = by_tap_.quotient(term), c = by_tap_.remainder(term, tap);
    const int r = by_tap_row_.quotient(tap);
    return {r, by_tap_row_.remainder(tap, r), c};
  }
  __device__ const float* at(Line line, Place place) const {
    const int h = line.row + place.r, w = line.column + place.s;
    if (h < 0 || h >= H_ || w < 0 || w >= W_) return nullptr;
    return line.picture + (Index{h} * W_ + w) * ld_ + place.c;
  }

  bool vector;  // C, the pitch and the address allow float4: no four places cross a tap

 private:
  // So far out that no tap brings it back into the picture. Two of them must not overflow.
  static constexpr int kOutside = -(1 << 30);

  const float* x_;
  Index ld_;
  int H_, W_, stride_, top_, left_, pixels_, terms_;
  FastDivide by_picture_, by_row_, by_tap_, by_tap_row_;
};

// The taps of one phase (phase.h) turned by 180 degrees. Lines: terms (r, s, k), in the order of
// the places of dy's patches. Places: input channels c.
class FlippedFilterSource {
 public:
  static constexpr Major kMajor = Major::outer;
  using Line = const float*;
  using Place = int;

  // Tap (r, s) of the phase is tap (last_r - r * stride, last_s - s * stride) of w.
  FlippedFilterSource(ConstView w, const Geometry& g, Index last_r, Index last_s, Index stride)
      : vector(float4_allowed(w.data, w.shape.c, w.shape.c)),
        last_(w.data + (last_r * w.shape.w + last_s) * w.shape.c),
        tap_row_(stride * w.shape.w * w.shape.c),
        tap_(stride * w.shape.c),
        filter_(w.shape.h * w.shape.w * w.shape.c),
        terms_(static_cast<int>(g.terms())),
        C_(static_cast<int>(w.shape.c)),
        by_tap_(g.C),
        by_tap_row_(std::max<Index>(g.S, 1)) {}

  __device__ Line line(int term) const {
    if (term >= terms_) return nullptr;
    const int tap = by_tap_.quotient(term), k = by_tap_.remainder(term, tap);
    const int r = by_tap_row_.quotient(tap), s = by_tap_row_.remainder(tap, r);
    return last_ + k * filter_ - r * tap_row_ - s * tap_;
  }
  __device__ Place place(int c) const { return c; }
  __device__ const float* at(Line line, Place c) const {
    return line != nullptr && c < C_ ? line + c : nullptr;
  }

  bool vector;

 private:
  const float* last_;             // the phase's first tap in filter 0
  Index tap_row_, tap_, filter_;  // floats from one to the next
  int terms_, C_;
  FastDivide by_tap_, by_tap_row_;
};

// The pixels of one phase of dx: every stride-th of every stride-th row.
class PhaseTarget {
 public:
  PhaseTarget(View dx, const Geometry& g, Index row, Index column, Index stride)
      : first_(dx.data + (row * dx.shape.w + column) * dx.ld),
        picture_(dx.shape.h * dx.shape.w * dx.ld),
        row_(dx.shape.w * dx.ld * stride),
        pixel_(dx.ld * stride),
        by_picture_(std::max<Index>(g.P * g.Q, 1)),
        by_row_(std::max<Index>(g.Q, 1)) {}

  __device__ float* row(int pixel) const {
    const int n = by_picture_.quotient(pixel), pq = by_picture_.remainder(pixel, n);
    const int p = by_row_.quotient(pq), q = by_row_.remainder(pq, p);
    return first_ + n * picture_ + p * row_ + q * pixel_;
  }

 private:
  float* first_;
  Index picture_, row_, pixel_;  // floats from one to the next
  FastDivide by_picture_, by_row_;
};

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
