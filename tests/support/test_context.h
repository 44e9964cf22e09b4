// A context with a workspace, and tensors that catch what a kernel does wrong.
#pragma once
#include <cstdint>
#include <vector>

#include "core/context.h"
#include "core/random.h"
#include "core/tensor.h"
#include "core/view.h"
#include "tests/support/test_device.h"

namespace twinage::test {

// To plan workspaces with: X_workspace(planning(), ...).
Context planning();

// A context of test_device() that owns its workspace. The workspace is poisoned with NaN.
class TestContext {
 public:
  explicit TestContext(Index workspace_floats = 0, int threads = 2);
  // All of the workspace but what a forward pass has kept is NaN again.
  void poison();
  operator const Context&() const { return context_; }
  const Context& get() const { return context_; }

 private:
  Workspace workspace_;
  Context context_;
};

// A tensor in the middle of guarded memory, optionally a channel slice of wider pixels (ld > c).
// Filled with NaN: an output that is not written stays NaN. guards_intact() tells whether anything
// outside the view was written to.
class GuardedTensor {
 public:
  explicit GuardedTensor(Shape shape, Index extra_channels = 0);

  View view() { return {data(), shape_, ld_}; }
  ConstView view() const { return {data(), shape_, ld_}; }
  float* data() { return memory_.data() + kGuard; }
  const float* data() const { return memory_.data() + kGuard; }
  bool guards_intact() const;

  void fill(float value);  // the view only
  void fill_uniform(Random& random, float low = -1, float high = 1);
  void fill_small_integers(Random& random, int magnitude = 3);  // exact in float32
  std::vector<float> values() const;                            // densely packed, NHWC

 private:
  static constexpr Index kGuard = 64;
  bool inside(Index offset) const;

  Shape shape_;
  Index ld_;
  SharedVector<float> memory_;
};

// Largest |got - want| over the view; NaN if any value of either is NaN.
double largest_error(ConstView got, ConstView want);
double largest_magnitude(ConstView x);

// Whether |got - want| <= tolerance * max(1, largest |want|) everywhere. False for any NaN.
bool close(ConstView got, ConstView want, double tolerance);
bool bitwise_equal(ConstView a, ConstView b);

// float32 epsilon * sqrt(terms) * k: the expected growth of rounding error in a sum of `terms`
// products of random sign, with a safety factor k.
double tolerance_of_sum(Index terms, double k = 8);

}  // namespace twinage::test
