// Quantiles of weighted values: what the read-outs by references end in.
#pragma once
#include <span>

namespace twinage {

struct Weighted {
  double value = 0, weight = 0;  // weight >= 0
};

// The value below which a share q of the weight lies. Each item's weight is centred on its value,
// with straight lines between: of equal weights the median is the usual one. At least one item,
// sorted by value.
double weighted_quantile(std::span<const Weighted> items, double q);

}  // namespace twinage
