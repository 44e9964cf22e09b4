// expectation: the mean of an age head's distribution, E = sum of a P(a) over the whole years a
// = 0, 1, ... (DEX: Rothe, Timofte, Van Gool 2018, "Deep expectation of real and apparent age from
// a single image without facial landmarks").
//
// The interval's ends are quantiles of the same distribution [ours]. A label is a whole year and
// stands for half a year to either side, so P(a) is spread evenly over [a - 1/2, a + 1/2): the
// quantiles of that density are exact, and between two ages that are far apart nothing is made up.
// The mean of such a distribution may lie outside of them; AgeReadout keeps it within.
#include <memory>

#include "siamese/readouts/table.h"

namespace twinage {
namespace {

// The age below which a share q, between 0 and 1, of the probability lies.
double quantile(std::span<const float> ages, double total, double q) {
  double below = 0;
  for (std::size_t a = 0; a < ages.size(); ++a) {
    const auto here = static_cast<double>(ages[a]);
    if (here > 0 && below + here >= q * total)
      return static_cast<double>(a) - 0.5 + (q * total - below) / here;
    below += here;
  }
  return static_cast<double>(ages.size()) - 0.5;
}

class Expectation final : public Readout {
 public:
  RawEstimate read(const FaceToRead& face) const override {
    double total = 0, sum = 0;
    std::vector<Weighted> votes;
    for (std::size_t a = 0; a < face.ages.size(); ++a) {
      total += static_cast<double>(face.ages[a]);
      sum += static_cast<double>(a) * static_cast<double>(face.ages[a]);
      votes.push_back({static_cast<double>(a), static_cast<double>(face.ages[a])});
    }
    return {sum / total, quantile(face.ages, total, (1 - kCoverage) / 2),
            quantile(face.ages, total, (1 + kCoverage) / 2), std::move(votes)};
  }
};

}  // namespace

std::unique_ptr<Readout> make_expectation(const ReadoutParts&) {
  return std::make_unique<Expectation>();
}

}  // namespace twinage
