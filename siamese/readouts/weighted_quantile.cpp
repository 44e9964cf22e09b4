#include "siamese/readouts/weighted_quantile.h"

namespace twinage {

double weighted_quantile(std::span<const Weighted> items, double q) {
  double total = 0, below = 0;
  for (const Weighted& item : items) total += item.weight;
  double last_value = items.front().value, last_centre = 0;
  for (const Weighted& item : items) {
    const double centre = below + item.weight / 2;
    if (centre >= q * total) {
      const double step = centre - last_centre;
      const double part = step > 0 ? (q * total - last_centre) / step : 1;
      return last_value + part * (item.value - last_value);
    }
    last_value = item.value;
    last_centre = centre;
    below += item.weight;
  }
  return items.back().value;
}

}  // namespace twinage
