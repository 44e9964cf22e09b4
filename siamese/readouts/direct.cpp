// direct: the number of years that an age head says, as it is; an age below 0 counts as 0.
//
// Such a head says nothing of how sure it is. The raw interval is a year to either side whatever
// the face, and so the factor calibrated on held-out faces is the half of the interval in years: 80
// % of their errors are no larger [ours].
#include <algorithm>
#include <memory>

#include "siamese/readouts/table.h"

namespace twinage {
namespace {

class Direct final : public Readout {
 public:
  RawEstimate read(const FaceToRead& face) const override {
    const double age = std::max(static_cast<double>(face.ages.front()), 0.0);
    return {age, age - 1, age + 1};
  }
};

}  // namespace

std::unique_ptr<Readout> make_direct(const ReadoutParts&) {
  return std::make_unique<Direct>();
}

}  // namespace twinage
