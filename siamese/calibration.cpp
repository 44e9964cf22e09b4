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

}  // namespace

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
