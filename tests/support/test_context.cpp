#include "tests/support/test_context.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/device_memory.h"

namespace twinage::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kGuardValue = -12345.678F;

// Calls f(value offset in a's memory, in b's memory) for every element of two equal shapes.
template <class F>
void each_element(ConstView a, ConstView b, F f) {
  for (Index p = 0; p < a.shape.pixels(); ++p)
    for (Index c = 0; c < a.shape.c; ++c) f(a.pixel(p)[c], b.pixel(p)[c]);
}

}  // namespace

Context planning() {
  Context context;
  context.device = test_device();
  return context;
}

TestContext::TestContext(Index workspace_floats, int threads)
    : workspace_(workspace_floats, test_device()) {
  context_.device = test_device();
  context_.threads = threads;
  context_.workspace = &workspace_;
  poison();
}

void TestContext::poison() {
  WorkspaceScope scope(&workspace_);
  const Index free = workspace_.capacity() - workspace_.kept();
  // All bits set is a NaN.
  set_bytes(scope.floats(free), test_device(), 0xff,
            static_cast<std::size_t>(free) * sizeof(float));
}

GuardedTensor::GuardedTensor(Shape shape, Index extra_channels)
    : shape_(shape),
      ld_(shape.c + extra_channels),
      memory_(static_cast<std::size_t>(shape.pixels() * ld_ + 2 * kGuard), kGuardValue) {
  fill(kNaN);
}

bool GuardedTensor::inside(Index offset) const {
  const Index i = offset - kGuard;
  return i >= 0 && i < shape_.pixels() * ld_ && i % ld_ < shape_.c;
}

bool GuardedTensor::guards_intact() const {
  for (Index i = 0; i < static_cast<Index>(memory_.size()); ++i)
    if (!inside(i) && memory_[static_cast<std::size_t>(i)] != kGuardValue) return false;
  return true;
}

void GuardedTensor::fill(float value) {
  for (Index p = 0; p < shape_.pixels(); ++p) std::fill_n(view().pixel(p), shape_.c, value);
}

void GuardedTensor::fill_uniform(Random& random, float low, float high) {
  for (Index p = 0; p < shape_.pixels(); ++p)
    for (Index c = 0; c < shape_.c; ++c)
      view().pixel(p)[c] = static_cast<float>(random.uniform(low, high));
}

void GuardedTensor::fill_small_integers(Random& random, int magnitude) {
  for (Index p = 0; p < shape_.pixels(); ++p)
    for (Index c = 0; c < shape_.c; ++c)
      view().pixel(p)[c] =
          static_cast<float>(random.below(static_cast<std::uint64_t>(2 * magnitude + 1))) -
          static_cast<float>(magnitude);
}

std::vector<float> GuardedTensor::values() const {
  std::vector<float> packed;
  for (Index p = 0; p < shape_.pixels(); ++p)
    packed.insert(packed.end(), view().pixel(p), view().pixel(p) + shape_.c);
  return packed;
}

double largest_error(ConstView got, ConstView want) {
  if (!(got.shape == want.shape)) return std::numeric_limits<double>::quiet_NaN();
  double largest = 0;
  each_element(got, want, [&](float g, float w) {
    const double error = std::fabs(static_cast<double>(g) - static_cast<double>(w));
    if (!(error <= largest)) largest = std::isnan(largest) ? largest : error;
  });
  return largest;
}

double largest_magnitude(ConstView x) {
  double largest = 0;
  each_element(x, x, [&](float v, float) {
    largest = std::max(largest, std::fabs(static_cast<double>(v)));
  });
  return largest;
}

bool close(ConstView got, ConstView want, double tolerance) {
  return largest_error(got, want) <= tolerance * std::max(1.0, largest_magnitude(want));
}

bool bitwise_equal(ConstView a, ConstView b) {
  if (!(a.shape == b.shape)) return false;
  bool equal = true;
  each_element(a, b, [&](const float& x, const float& y) {
    equal = equal && std::memcmp(&x, &y, sizeof x) == 0;
  });
  return equal;
}

double tolerance_of_sum(Index terms, double k) {
  return k * static_cast<double>(std::numeric_limits<float>::epsilon()) *
         std::sqrt(static_cast<double>(std::max<Index>(terms, 1)));
}

}  // namespace twinage::test
