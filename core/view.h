// Views borrow memory; a Tensor (core/tensor.h) owns it. Kernels take them by value; functions are
// constexpr so that CUDA code may call them.
#pragma once
#include "core/shape.h"

namespace twinage {

// `ld` is the pixel pitch: the number of floats from one pixel to the next. ld == shape.c in a
// whole tensor; ld > shape.c in a slice of channels, which is how the branches of an Inception
// block write straight into the concatenated output. Element (n, h, w, c) is at
// data[((n * H + h) * W + w) * ld + c].
struct ConstView {
  const float* data = nullptr;
  Shape shape;
  Index ld = 0;

  ConstView() = default;
  constexpr ConstView(const float* first, Shape extents) : ConstView(first, extents, extents.c) {}
  constexpr ConstView(const float* first, Shape extents, Index pitch)
      : data(first), shape(extents), ld(pitch) {}

  constexpr bool contiguous() const { return ld == shape.c; }
  constexpr const float* pixel(Index p) const { return data + p * ld; }
  // As View's. Of a view without data: a shape without data.
  constexpr ConstView channels(Index first, Index count) const {
    return {data == nullptr ? nullptr : data + first, {shape.n, shape.h, shape.w, count}, ld};
  }
  constexpr ConstView images(Index first, Index count) const {
    return {data == nullptr ? nullptr : data + first * shape.h * shape.w * ld,
            {count, shape.h, shape.w, shape.c},
            ld};
  }
};

struct View {
  float* data = nullptr;
  Shape shape;
  Index ld = 0;

  View() = default;
  constexpr View(float* first, Shape extents) : View(first, extents, extents.c) {}
  constexpr View(float* first, Shape extents, Index pitch)
      : data(first), shape(extents), ld(pitch) {}
  constexpr operator ConstView() const { return {data, shape, ld}; }

  constexpr bool contiguous() const { return ld == shape.c; }
  constexpr float* pixel(Index p) const { return data + p * ld; }
  // Channels [first, first + count) of every pixel.
  constexpr View channels(Index first, Index count) const {
    return {data + first, {shape.n, shape.h, shape.w, count}, ld};
  }
  // Images [first, first + count) of the batch.
  constexpr View images(Index first, Index count) const {
    return {data + first * shape.h * shape.w * ld, {count, shape.h, shape.w, shape.c}, ld};
  }
};

// Whether an operation's result replaces what its output holds or is added to it. Gradients that
// arrive from several consumers (the branches of a block) are accumulated in place.
enum class Write { overwrite, accumulate };

}  // namespace twinage
