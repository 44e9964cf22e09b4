// Finite differences of a function written in double.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "core/view.h"

namespace twinage::test {

using Doubles = std::vector<double>;

// d loss(x) / d x[i] for every i, by central differences: their error is about h^2, and the
// rounding of a double divided by h, 1e-10 each for h = 1e-5.
template <class Loss>
Doubles numeric_gradient(Doubles x, Loss loss, double h = 1e-5) {
  Doubles gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double here = x[i];
    x[i] = here + h;
    const double up = loss(x);
    x[i] = here - h;
    const double down = loss(x);
    x[i] = here;
    gradient[i] = (up - down) / (2 * h);
  }
  return gradient;
}

// The values of a view, densely packed.
inline Doubles doubles(ConstView v) {
  Doubles packed;
  for (Index p = 0; p < v.shape.pixels(); ++p)
    packed.insert(packed.end(), v.pixel(p), v.pixel(p) + v.shape.c);
  return packed;
}

inline double largest_magnitude(const Doubles& x) {
  double largest = 0;
  for (double v : x) largest = std::max(largest, std::fabs(v));
  return largest;
}

// Largest |got - want|; NaN where a value is NaN or the lengths differ. A gradient that should be
// checked must not be 0 everywhere: ask for largest_magnitude(want) too.
inline double largest_error(const Doubles& got, const Doubles& want) {
  if (got.size() != want.size()) return std::numeric_limits<double>::quiet_NaN();
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(got[i] - want[i]);
    if (!(error <= largest)) largest = std::isnan(largest) ? largest : error;
  }
  return largest;
}

// |got - want| relative to |want| (doctest::Approx has an absolute part of its epsilon: anything
// is near a small number). NaN is near nothing.
inline bool near(double got, double want, double relative) {
  return std::fabs(got - want) <= relative * std::fabs(want);
}

}  // namespace twinage::test
