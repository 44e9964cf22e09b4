// How far a mean may be off by the chance of which faces were measured: the bootstrap (Efron 1979).
#pragma once
#include <array>
#include <optional>
#include <span>
#include <vector>

namespace twinage {

struct Spread {
  double low = 0, high = 0;
};

// The 2.5 % and 97.5 % quantiles of the mean over 1,000 samples drawn with replacement: percentile
// intervals, which hold a mean of new faces like these with a probability of about 95 %. Of each
// column of `values` from the same draws; columns are alike in length. Of fewer than 2 faces none.
// The same values give the same interval.
std::vector<std::optional<Spread>> bootstrap_of_means(std::span<const std::vector<double>> columns);

}  // namespace twinage
