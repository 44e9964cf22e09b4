// Views borrow memory; a Tensor (core/tensor.h) owns it.
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
  ConstView(const float* first, Shape extents) : ConstView(first, extents, extents.c) {}
  ConstView(const float* first, Shape extents, Index pitch)
      : data(first), shape(extents), ld(pitch) {}

  bool contiguous() const { return ld == shape.c; }
  const float* pixel(Index p) const { return data + p * ld; }
  ConstView channels(Index first, Index count) const {
    return {data + first, {shape.n, shape.h, shape.w, count}, ld};
  }
  ConstView images(Index first, Index count) const {
    return {data + first * shape.h * shape.w * ld, {count, shape.h, shape.w, shape.c}, ld};
  }
};

struct View {
  float* data = nullptr;
  Shape shape;
  Index ld = 0;

  View() = default;
  View(float* first, Shape extents) : View(first, extents, extents.c) {}
  View(float* first, Shape extents, Index pitch) : data(first), shape(extents), ld(pitch) {}
  operator ConstView() const { return {data, shape, ld}; }

  bool contiguous() const { return ld == shape.c; }
  float* pixel(Index p) const { return data + p * ld; }
  // Channels [first, first + count) of every pixel.
  View channels(Index first, Index count) const {
    return {data + first, {shape.n, shape.h, shape.w, count}, ld};
  }
  // Images [first, first + count) of the batch.
  View images(Index first, Index count) const {
    return {data + first * shape.h * shape.w * ld, {count, shape.h, shape.w, shape.c}, ld};
  }
};

// Whether an operation's result replaces what its output holds or is added to it. Gradients that
// arrive from several consumers (the branches of a block) are accumulated in place.
enum class Write { overwrite, accumulate };

}  // namespace twinage
