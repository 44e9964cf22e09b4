#include "train/model/bootstrap.h"

#include <algorithm>

#include "core/error.h"
#include "core/random.h"

namespace twinage {
namespace {

constexpr std::size_t kSamples = 1000;

// Linear between the ordered values, the first being the quantile 0 and the last 1.
double quantile(const std::vector<double>& ordered, double share) {
  const double place = share * static_cast<double>(ordered.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ordered.size() - 1);
  return ordered[below] + (place - static_cast<double>(below)) * (ordered[above] - ordered[below]);
}

}  // namespace

std::vector<std::optional<Spread>> bootstrap_of_means(
    std::span<const std::vector<double>> columns) {
  std::vector<std::optional<Spread>> spreads(columns.size());
  if (columns.empty()) return spreads;
  const std::size_t count = columns.front().size();
  for (const auto& column : columns)
    require(column.size() == count, "[bootstrap] expected {} values in each column, got {}", count,
            column.size());
  if (count < 2) return spreads;
  std::vector<std::vector<double>> means(columns.size());
  Random random(1, stream_of("bootstrap"));
  std::vector<double> sums(columns.size());
  for (std::size_t sample = 0; sample < kSamples; ++sample) {
    std::ranges::fill(sums, 0);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t drawn = random.below(count);
      for (std::size_t c = 0; c < columns.size(); ++c) sums[c] += columns[c][drawn];
    }
    for (std::size_t c = 0; c < columns.size(); ++c)
      means[c].push_back(sums[c] / static_cast<double>(count));
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    std::ranges::sort(means[c]);
    spreads[c] = Spread{quantile(means[c], 0.025), quantile(means[c], 0.975)};
  }
  return spreads;
}

}  // namespace twinage
