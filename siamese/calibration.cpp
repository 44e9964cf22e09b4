#include "siamese/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "core/error.h"

namespace twinage {
namespace {

// Neighbouring distances that share one probability, same / count.
struct Step {
  float end = 0;  // the largest distance
  std::int64_t same = 0, count = 0;
};

// Whether b's probability is at least a's; exact in integers.
bool violates(const Step& a, const Step& b) {
  return b.same * a.count >= a.same * b.count;
}

// P(X <= x) for X of Beta(k, n + 1 - k): that of n uniform numbers at least k are at most x.
double beta_probability(Index k, Index n, double x) {
  const auto count = static_cast<double>(n);
  double sum = 0;
  for (Index i = k; i <= n; ++i) {
    const auto at = static_cast<double>(i);
    sum += std::exp(std::lgamma(count + 1) - std::lgamma(at + 1) - std::lgamma(count - at + 1) +
                    at * std::log(x) + (count - at) * std::log1p(-x));
  }
  return sum;
}

double beta_quantile(Index k, Index n, double probability) {
  double low = 0, high = 1;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (beta_probability(k, n, middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Index conformal_rank(double share, Index n) {
  const auto rank = static_cast<Index>(std::ceil(share * static_cast<double>(n + 1) - 1e-9));
  return std::min(rank, n);
}

IntervalClaim interval_claim(Index held_out) {
  IntervalClaim claim;
  claim.held_out = held_out;
  if (held_out == 0) return claim;
  const Index rank = conformal_rank(kCoverage, held_out);
  const bool exists =
      static_cast<double>(rank) + 1e-9 >= kCoverage * static_cast<double>(held_out + 1);
  claim.kind = !exists                          ? IntervalClaim::Kind::none
               : held_out < kHeldOutForCoverage ? IntervalClaim::Kind::rough
                                                : IntervalClaim::Kind::coverage;
  if (claim.kind != IntervalClaim::Kind::rough) return claim;
  claim.low = beta_quantile(rank, held_out, 0.05);
  claim.high = beta_quantile(rank, held_out, 0.95);
  return claim;
}

IntervalClaim Calibration::claim() const {
  IntervalClaim claim = interval_claim(held_out);
  claim.by_age = !interval_widths.empty();
  return claim;
}

double Calibration::limit_share() const {
  const double supported = static_cast<double>(conformal_rank(kLimitShare, held_out)) /
                           static_cast<double>(held_out + 1);
  return std::min(supported, kLimitShare);
}

float Calibration::probability(float distance) const {
  // Binary search without branches: the read-out asks for every reference, and half of the branches
  // of the usual search are mispredicted. The step is one of `count` from `first` on.
  std::size_t first = 0;
  for (std::size_t count = distances.size(); count > 1;) {
    const std::size_t half = count / 2;
    first += half * static_cast<std::size_t>(distances[first + half - 1] < distance);
    count -= half;
  }
  return probabilities[first];
}

Calibration calibrate(std::span<const float> distances, std::span<const float> gaps, float tau) {
  require(!distances.empty() && distances.size() == gaps.size(),
          "[calibrate] expected at least one held-out pair, got {} distances and {} gaps",
          distances.size(), gaps.size());
  std::vector<std::size_t> order(distances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const std::size_t i : order)
    require(std::isfinite(distances[i]) && std::isfinite(gaps[i]),
            "[calibrate] expected finite numbers, got distance {} and gap {} for pair {}",
            distances[i], gaps[i], i);
  std::ranges::sort(order, {}, [&](std::size_t i) { return distances[i]; });

  std::vector<Step> steps;
  for (std::size_t first = 0; first < order.size();) {
    Step next{distances[order[first]], 0, 0};
    for (; first < order.size() && distances[order[first]] == next.end; ++first) {
      next.same += gaps[order[first]] <= tau ? 1 : 0;
      ++next.count;
    }
    while (!steps.empty() && violates(steps.back(), next)) {
      next.same += steps.back().same;
      next.count += steps.back().count;
      steps.pop_back();
    }
    steps.push_back(next);
  }

  Calibration calibration;
  calibration.tau = tau;
  for (const Step& step : steps) {
    calibration.distances.push_back(step.end);
    calibration.probabilities.push_back(
        static_cast<float>(static_cast<double>(step.same) / static_cast<double>(step.count)));
  }
  return calibration;
}

}  // namespace twinage
