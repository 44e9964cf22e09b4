// The convolutions that every test of conv2d runs, and their tensors.
#pragma once
#include <string>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/winograd.h"
#include "tests/support/test_context.h"

namespace twinage::test::conv2d {

struct Case {
  std::string name;
  Shape x, w;
  Conv2d conv;
  Index extra_channels = 0;  // of x and y, beyond the slice that is used
};

inline std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

inline const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"stem: 3 channels, stride 2", {2, 19, 17, 3}, {32, 3, 3, 3}, {2, 0, 0}},
      {"3x3, no padding", {2, 9, 11, 16}, {48, 3, 3, 16}, {1, 0, 0}},
      {"3x3, padded", {2, 15, 13, 24}, {40, 3, 3, 24}, {1, 1, 1}},
      {"3x3, padded, slice", {2, 15, 13, 24}, {40, 3, 3, 24}, {1, 1, 1}, 8},
      {"3x3, padded, small map of many images", {13, 4, 3, 24}, {56, 3, 3, 24}, {1, 1, 1}},
      {"3x3, padded, small map of few images, slice", {3, 3, 3, 16}, {32, 3, 3, 16}, {1, 1, 1}, 16},
      {"3x3, stride 2", {2, 17, 17, 32}, {72, 3, 3, 32}, {2, 0, 0}, 8},
      {"3x3, stride 2, even extents: an edge that no window touches",
       {9, 8, 10, 16},
       {24, 3, 3, 16},
       {2, 0, 0}},
      {"3x3, stride 2, padded", {3, 9, 8, 8}, {16, 3, 3, 8}, {2, 1, 1}},
      {"5x5, padded", {2, 9, 9, 16}, {16, 5, 5, 16}, {1, 2, 2}},
      {"1x7", {2, 17, 17, 32}, {48, 1, 7, 32}, {1, 0, 3}},
      {"1x7, wider than the map", {9, 3, 3, 8}, {40, 1, 7, 8}, {1, 0, 3}},
      {"7x1", {2, 17, 17, 32}, {48, 7, 1, 32}, {1, 3, 0}, 8},
      {"7x1, higher than the map", {9, 3, 3, 8}, {40, 7, 1, 8}, {1, 3, 0}},
      {"1x3", {10, 8, 8, 24}, {24, 1, 3, 24}, {1, 0, 1}},
      {"3x1", {10, 8, 8, 24}, {24, 3, 1, 24}, {1, 1, 0}, 24},
      {"1x1", {3, 13, 7, 40}, {80, 1, 1, 40}, {1, 0, 0}},
      {"1x1, slice", {3, 13, 7, 40}, {104, 1, 1, 40}, {1, 0, 0}, 40},
      {"1x1, pixels a multiple of 2 KB apart", {2, 5, 5, 512}, {16, 1, 1, 512}, {1, 0, 0}, 8},
      {"1x1, stride 2", {2, 7, 9, 16}, {24, 1, 1, 16}, {2, 0, 0}},
      {"1x1, padded", {2, 5, 5, 8}, {8, 1, 1, 8}, {1, 1, 2}},
      {"2x2, stride 3: gaps between windows", {2, 11, 10, 8}, {16, 2, 2, 8}, {3, 0, 1}},
      {"3x2, stride 4, padding beyond the window", {2, 9, 9, 8}, {8, 3, 2, 8}, {4, 4, 3}},
      // Of so many channels and pixels that the CPU takes Winograd's way: tiles that are cut off on
      // the right and below, windows that reach outside by 0, 1 and 2, channels of every remainder.
      {"3x3, wide", {2, 13, 12, 16}, {50, 3, 3, 16}, {1, 0, 0}},
      {"3x3, wide, odd channel counts, slice", {3, 11, 14, 35}, {37, 3, 3, 35}, {1, 1, 1}, 5},
      {"3x3, wide, padding of different sizes", {1, 10, 15, 34}, {98, 3, 3, 34}, {1, 2, 0}, 2},
      {"5x5, stride 2: gradients by phases of 3x3", {1, 25, 25, 32}, {32, 5, 5, 32}, {2, 2, 2}},
      {"odd channel counts", {2, 7, 6, 5}, {7, 3, 3, 5}, {1, 1, 1}, 3},
      {"odd channel counts, many", {1, 5, 5, 33}, {101, 1, 3, 33}, {1, 0, 1}},
      {"one channel", {2, 6, 6, 1}, {1, 3, 3, 1}, {1, 0, 0}, 1},
      {"one pixel", {1, 1, 1, 16}, {16, 1, 1, 16}, {1, 0, 0}},
      {"one pixel, padded window", {1, 1, 1, 8}, {8, 3, 3, 8}, {1, 1, 1}},
      {"many pixels, several groups", {3, 40, 40, 8}, {8, 3, 3, 8}, {1, 0, 0}},
      {"empty batch", {0, 9, 9, 8}, {16, 3, 3, 8}, {1, 1, 1}},
      // The last is for the CPU's blocking only, and takes half of the time under simt.
      {"one image, several blocks of rows", {1, 61, 53, 48}, {24, 3, 3, 48}, {1, 1, 1}},
  };
  static const std::vector<Case> without_last(all.begin(), all.end() - 1);
  return test_device() == Device::simt ? without_last : all;
}

// A case's tensors, filled.
struct Problem {
  Problem(const Case& c, bool integers)
      : shape(conv2d_shape(c.x, c.w, c.conv)),
        x(c.x, c.extra_channels),
        w(c.w),
        dy(shape, c.extra_channels) {
    Random random(7);
    for (GuardedTensor* t : {&x, &w, &dy})
      integers ? t->fill_small_integers(random) : t->fill_uniform(random);
  }
  Shape shape;  // of y
  GuardedTensor x, w, dy;
};

inline TestContext context_for(const Case& c, int threads = 2) {
  Context sizing;
  sizing.device = test_device();
  sizing.threads = threads;
  return TestContext(conv2d_workspace(sizing, c.x, c.w, c.conv), threads);
}

// Whether the device under test computes with fractions, so that integers are not exact: forward,
// and backward data, by Winograd.
struct Fractions {
  bool forward, data;
};
inline Fractions fractions(const Case& c, Device device = test_device(), Math math = Math::fp32) {
  Context ctx;
  ctx.math = math;
  const Shape y = conv2d_shape(c.x, c.w, c.conv);
  const auto taken = [&](Index in, Index out, Shape map) {
    return device == Device::cpu &&
           cpu::takes_winograd(ctx, {1, 1, 1, in, map.h, map.w, c.w.h, c.w.w, c.conv.stride, 0, 0},
                               out);
  };
  return {taken(c.w.c, c.w.n, y), taken(c.w.n, c.w.c, c.x)};
}

// Terms of a sum: of forward, backward data, backward filter.
inline Index forward_terms(const Case& c) {
  return c.w.h * c.w.w * c.w.c;
}
inline Index data_terms(const Case& c) {
  return c.w.h * c.w.w * c.w.n;
}

// Whether sums of so many products of small integers (fill_small_integers) are as wanted: to the
// bit, unless they were computed with fractions.
inline bool integers_agree(ConstView got, ConstView want, bool fractions, Index terms) {
  if (fractions) return close(got, want, 9 * tolerance_of_sum(terms));
  return largest_error(got, want) == 0;
}

}  // namespace twinage::test::conv2d
