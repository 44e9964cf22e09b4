// Views borrow memory; a Tensor (core/tensor.h) owns it. Kernels take them by value; functions are
// constexpr so that CUDA code may call them.
#pragma once
#include "core/shape.h"

namespace twinage {

// What the numbers of a view are. Only what says so takes bf16 views: the convolution's and the
// pools' forward passes on the CPU, for inference in bf16. Two neighbouring channels, the first in
// the lower half (core/bf16.h), share the place of a float; the number of channels is even.
enum class Element { float32, bf16 };

// Places of 32 bits that so many neighbouring numbers take.
constexpr Index words(Element element, Index count) {
  return element == Element::bf16 ? (count + 1) / 2 : count;
}

// `ld` is the pixel pitch: the number of floats from one pixel to the next. ld == shape.c in a
// whole tensor; ld > shape.c in a slice of channels, which is how the branches of an Inception
// block write straight into the concatenated output. Element (n, h, w, c) is at
// data[((n * H + h) * W + w) * ld + c]. In a bf16 view data and ld count words of 32 bits just the
// same, of which a pixel has c / 2.
struct ConstView {
  const float* data = nullptr;
  Shape shape;
  Index ld = 0;
  Element element = Element::float32;

  ConstView() = default;
  constexpr ConstView(const float* first, Shape extents) : ConstView(first, extents, extents.c) {}
  constexpr ConstView(const float* first, Shape extents, Index pitch,
                      Element element_ = Element::float32)
      : data(first), shape(extents), ld(pitch), element(element_) {}

  constexpr bool contiguous() const { return ld == words(element, shape.c); }
  constexpr const float* pixel(Index p) const { return data + p * ld; }
  // As View's. Of a view without data: a shape without data.
  constexpr ConstView channels(Index first, Index count) const {
    return {data == nullptr ? nullptr : data + words(element, first),
            {shape.n, shape.h, shape.w, count},
            ld,
            element};
  }
  constexpr ConstView images(Index first, Index count) const {
    return {data == nullptr ? nullptr : data + first * shape.h * shape.w * ld,
            {count, shape.h, shape.w, shape.c},
            ld,
            element};
  }
};

struct View {
  float* data = nullptr;
  Shape shape;
  Index ld = 0;
  Element element = Element::float32;

  View() = default;
  constexpr View(float* first, Shape extents) : View(first, extents, extents.c) {}
  constexpr View(float* first, Shape extents, Index pitch, Element element_ = Element::float32)
      : data(first), shape(extents), ld(pitch), element(element_) {}
  constexpr operator ConstView() const { return {data, shape, ld, element}; }

  constexpr bool contiguous() const { return ld == words(element, shape.c); }
  constexpr float* pixel(Index p) const { return data + p * ld; }
  // Channels [first, first + count) of every pixel; of a bf16 view both are even.
  constexpr View channels(Index first, Index count) const {
    return {data + words(element, first), {shape.n, shape.h, shape.w, count}, ld, element};
  }
  // Images [first, first + count) of the batch.
  constexpr View images(Index first, Index count) const {
    return {data + first * shape.h * shape.w * ld, {count, shape.h, shape.w, shape.c}, ld, element};
  }
};

// A whole tensor of bf16 in words(bf16, c) words a pixel.
constexpr View bf16_view(float* first, Shape extents) {
  return {first, extents, words(Element::bf16, extents.c), Element::bf16};
}

// Whether an operation's result replaces what its output holds or is added to it. Gradients that
// arrive from several consumers (the branches of a block) are accumulated in place.
enum class Write { overwrite, accumulate };

}  // namespace twinage
