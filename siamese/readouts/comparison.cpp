// comparison: the weighted median of the references' ages, weights P(same class | D)^(2 tau + 1)
// with P calibrated on held-out pairs.
//
// P says that the face is within tau years of the reference. Of the face's true age all 2 tau + 1
// years around it say so; taken as independent, and about equal, their product is that power.
// Without it P falls too slowly: the many faint votes for far ages outweigh the strong ones. All
// references count, so no age can win by having few of them: where distances say nothing the votes
// are equal, and the estimate is the gallery's median age.
#include <algorithm>
#include <cmath>
#include <memory>

#include "core/error.h"
#include "siamese/prototypes.h"
#include "siamese/readouts/table.h"

namespace twinage {
namespace {

class Comparison final : public Readout {
 public:
  explicit Comparison(const ReadoutParts& parts)
      : calibration_(parts.calibration), bins_(parts.gallery) {
    require(!calibration_.distances.empty(),
            "[age_readout] expected a calibration with steps for comparison (see calibrate)");
  }

  RawEstimate read(const FaceToRead& face) const override {
    std::vector<float> votes(face.to_references.size());
    // A step function cannot tell the references of one step apart, and may be 0 for all of them:
    // the small term lets the nearer one win then.
    for (std::size_t r = 0; r < votes.size(); ++r) {
      const float d = face.to_references[r];
      votes[r] = std::isinf(d) ? 0 : calibration_.probability(d) + 1e-3F / (1 + d);
    }
    // Only ratios of votes count; with the largest at 1 the power underflows for none that matters.
    const float largest = std::ranges::max(votes);
    const float power = 2 * calibration_.tau + 1;
    std::vector<double> years(bins_.counts.size()), counts = bins_.counts;
    for (const Index reference : face.own)
      counts[bins_.of_reference[static_cast<std::size_t>(reference)]] -= 1;
    for (std::size_t r = 0; r < votes.size(); ++r)
      years[bins_.of_reference[r]] += static_cast<double>(std::pow(votes[r] / largest, power));

    std::vector<Weighted> profile;
    for (std::size_t i = 0; i < years.size(); ++i)
      if (counts[i] > 0) profile.push_back({static_cast<double>(bins_.year(i)), years[i]});
    return {weighted_quantile(profile, 0.5), weighted_quantile(profile, (1 - kCoverage) / 2),
            weighted_quantile(profile, (1 + kCoverage) / 2), std::move(profile)};
  }

 private:
  const Calibration& calibration_;
  YearBins bins_;
};

}  // namespace

std::unique_ptr<Readout> make_comparison(const ReadoutParts& parts) {
  return std::make_unique<Comparison>(parts);
}

}  // namespace twinage
