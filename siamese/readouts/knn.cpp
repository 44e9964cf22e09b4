// knn: the weighted median of the ages of the k nearest references, weights 1 / (D + d0),
// d0 = a tenth of the k-th distance.
#include <algorithm>
#include <memory>

#include "core/error.h"
#include "siamese/readouts/table.h"

namespace twinage {
namespace {

class Knn final : public Readout {
 public:
  explicit Knn(const ReadoutParts& parts) : gallery_(parts.gallery), k_(parts.options.k) {
    require(k_ >= 1, "[age_readout] expected k >= 1 neighbours, got {}", k_);
  }

  Index neighbours() const override { return k_; }

  RawEstimate read(const FaceToRead& face) const override {
    const auto nearest =
        face.nearest.first(std::min(face.nearest.size(), static_cast<std::size_t>(k_)));
    // d0 keeps a face that is nearly identical from deciding alone, whatever the unit of distance.
    const double d0 = std::max(0.1 * static_cast<double>(nearest.back().distance), 1e-12);
    std::vector<Weighted> ages;
    ages.reserve(nearest.size());
    for (const Neighbour& n : nearest)
      ages.push_back({static_cast<double>(gallery_.ages[static_cast<std::size_t>(n.reference)]),
                      1 / (static_cast<double>(n.distance) + d0)});
    std::ranges::stable_sort(ages, {}, &Weighted::value);
    return {weighted_quantile(ages, 0.5), weighted_quantile(ages, (1 - kCoverage) / 2),
            weighted_quantile(ages, (1 + kCoverage) / 2), std::move(ages)};
  }

 private:
  const Gallery& gallery_;
  Index k_;
};

}  // namespace

std::unique_ptr<Readout> make_knn(const ReadoutParts& parts) {
  return std::make_unique<Knn>(parts);
}

}  // namespace twinage
