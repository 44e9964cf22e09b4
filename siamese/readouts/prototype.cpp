// prototype: the age whose mean embedding is nearest (means smoothed over neighbouring ages, see
// siamese/prototypes.h).
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "siamese/prototypes.h"
#include "siamese/readouts/table.h"

namespace twinage {
namespace {

class Prototype final : public Readout {
 public:
  explicit Prototype(const ReadoutParts& parts)
      : bins_(parts.gallery), prototypes_(parts.gallery, bins_) {}

  RawEstimate read(const FaceToRead& face) const override {
    return face.own.empty() ? nearest_of(prototypes_.means(), face.z)
                            : nearest_of(prototypes_.without(face.own), face.z);
  }

 private:
  // The interval supposes that faces of an age scatter about its prototype as a Gaussian does. (One
  // face less does not change the scatter of all.)
  RawEstimate nearest_of(const Prototypes::Means& means, std::span<const float> z) const {
    std::vector<double> squares(means.ages.size());
    for (std::size_t i = 0; i < squares.size(); ++i) {
      const float* prototype = means.embeddings.view().pixel(static_cast<Index>(i));
      for (std::size_t c = 0; c < z.size(); ++c) {
        const double d = static_cast<double>(z[c]) - static_cast<double>(prototype[c]);
        squares[i] += d * d;
      }
    }
    const auto best = static_cast<std::size_t>(std::ranges::min_element(squares) - squares.begin());
    const double variance = std::max(prototypes_.scatter(), std::numeric_limits<double>::min());
    std::vector<Weighted> ages;
    ages.reserve(squares.size());
    for (std::size_t i = 0; i < squares.size(); ++i)
      ages.push_back({static_cast<double>(means.ages[i]),
                      std::exp((squares[best] - squares[i]) / (2 * variance))});
    return {static_cast<double>(means.ages[best]), weighted_quantile(ages, (1 - kCoverage) / 2),
            weighted_quantile(ages, (1 + kCoverage) / 2), std::move(ages)};
  }

  YearBins bins_;
  Prototypes prototypes_;  // of bins_
};

}  // namespace

std::unique_ptr<Readout> make_prototype(const ReadoutParts& parts) {
  return std::make_unique<Prototype>(parts);
}

}  // namespace twinage
