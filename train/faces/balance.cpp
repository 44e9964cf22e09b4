#include "train/faces/balance.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"

namespace twinage {
namespace {

constexpr double kSmoothing = 2;  // standard deviation, years
constexpr int kReach = 8;         // years: the Gaussian's rest is below 1e-4 of its middle

// Faces a year about each age that occurs.
std::map<int, double> densities(std::span<const float> ages) {
  std::map<int, double> counts, smooth;
  for (const float age : ages) ++counts[static_cast<int>(std::floor(age))];
  for (const auto& [age, count] : counts)
    for (int gap = -kReach; gap <= kReach; ++gap) {
      const auto neighbour = counts.find(age + gap);
      if (neighbour == counts.end()) continue;
      smooth[age] += neighbour->second * std::exp(-gap * gap / (2 * kSmoothing * kSmoothing));
    }
  return smooth;
}

double mean(std::span<const double> weights) {
  return std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
}

// Cuts what exceeds kMostDraws and scales the others until the mean is 1; that may lift some of
// them above it, and so on.
void scale_to_mean_one(std::vector<double>& weights) {
  const auto count = static_cast<double>(weights.size());
  for (double& w : weights) w = std::min(w, kMostDraws);
  for (bool cut = true; cut;) {
    double free = 0, full = 0;
    for (const double w : weights) (w < kMostDraws ? free : full) += w;
    if (free == 0) break;
    const double scale = (count - full) / free;
    cut = false;
    for (double& w : weights) {
      if (w >= kMostDraws) continue;
      w *= scale;
      cut = cut || w > kMostDraws;
      w = std::min(w, kMostDraws);
    }
  }
}

}  // namespace

std::vector<double> draw_weights(std::span<const float> ages, const BalanceOptions& options) {
  const auto& [balance, children] = options;
  require(balance >= 0 && balance <= 1 && children >= 0 && children <= kMostDraws,
          "[balance] expected a balance of 0 to 1 and children of 0 to {}, got {} and {}",
          kMostDraws, balance, children);
  require(!ages.empty(), "[balance] expected at least one face");
  require(std::ranges::all_of(ages, [](float a) { return a >= 0 && a <= 1000; }),
          "[balance] expected ages of 0 to 1000 years");
  if (options == BalanceOptions()) return {};
  const std::map<int, double> density = densities(ages);
  std::vector<double> weights;
  for (const float age : ages)
    weights.push_back(std::pow(density.at(static_cast<int>(std::floor(age))), -balance));
  const double common = mean(weights);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] /= common;
    if (ages[i] < kChildrenUnder) weights[i] = std::max(weights[i], children);
  }
  scale_to_mean_one(weights);
  return weights;
}

}  // namespace twinage
