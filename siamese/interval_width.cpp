#include "siamese/interval_width.h"

#include <algorithm>
#include <cmath>

namespace twinage {
namespace {

constexpr double kOldest = kWidthStep * (kWidthAges - 1);

// Where a line that is at least 0 in a and below 0 in b crosses 0.
double crossing(double a, double of_a, double b, double of_b) {
  return a + (b - a) * of_a / (of_a - of_b);
}

}  // namespace

double width_at(std::span<const float> by_age, double age) {
  if (by_age.empty()) return 1;
  const double place = std::clamp(age, 0.0, kOldest) / kWidthStep;
  const auto before = std::min(static_cast<std::size_t>(place), by_age.size() - 2);
  const double share = place - static_cast<double>(before);
  return (1 - share) * static_cast<double>(by_age[before]) +
         share * static_cast<double>(by_age[before + 1]);
}

double interval_reach(std::span<const float> by_age, double age, double half, Side side) {
  if (by_age.empty()) return half;
  const double step = side == Side::above ? kWidthStep : -kWidthStep;
  const double last = side == Side::above ? kOldest : 0;
  // Linear between neighbouring ages of f, and at least 0 where that age belongs to the interval.
  const auto slack = [&](double a) { return half * width_at(by_age, a) - std::fabs(a - age); };
  const auto is_beyond = [&](double a) { return side == Side::above ? a > age : a < age; };
  if (!is_beyond(last) || slack(last) >= 0) return half * width_at(by_age, last);
  double outside = last;
  for (double a = last - step; is_beyond(a); outside = a, a -= step)
    if (slack(a) >= 0) return std::fabs(crossing(a, slack(a), outside, slack(outside)) - age);
  return std::fabs(crossing(age, slack(age), outside, slack(outside)) - age);
}

}  // namespace twinage
