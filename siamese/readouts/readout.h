// A read-out: the rule by which what the network says of a face becomes an age and an interval. One
// file a rule in this folder, one row each in siamese/readouts/table.cpp; AgeReadout does what is
// the same for all of them. A new rule is
//
//   - a class derived from Readout, and make_NAME, in siamese/readouts/NAME.cpp;
//   - a value of ReadoutKind with its name, and a row in table.cpp.
#pragma once
#include <span>
#include <vector>

#include "core/view.h"
#include "siamese/calibration.h"
#include "siamese/gallery.h"
#include "siamese/readouts/readout_kind.h"
#include "siamese/readouts/weighted_quantile.h"

namespace twinage {

struct Neighbour {
  Index reference = 0;  // index into the gallery
  float distance = 0;
};

// What can be read of one face, in memory of the host. A rule looks only at what its row of the
// table says that it needs.
struct FaceToRead {
  // The embedding, and the distance to each reference of the gallery; infinite for `own`, the
  // references that are left out because they are copies of this face.
  std::span<const float> z, to_references;
  std::span<const Index> own;
  std::span<const Neighbour> nearest;  // not of `own`, nearest first: Readout::neighbours() or more
                                       // of them, as far as there are so many
  // What the age head says, in the form that the rule's row needs: [a] = P(age = a years), at least
  // 0 and with the sum 1; or its number alone, in years.
  std::span<const float> ages;
};

// Years. The interval is raw: what should hold the true age with a probability of kCoverage if the
// rule's model of the world were right. It is widened or narrowed afterwards.
struct RawEstimate {
  double age = 0, low = 0, high = 0;
  // What spoke for which age, sorted by age: votes, neighbours, probabilities. None where there is
  // only a number.
  std::vector<Weighted> votes = {};
};

class Readout {
 public:
  virtual ~Readout() = default;
  // Called from several threads at once.
  virtual RawEstimate read(const FaceToRead& face) const = 0;
  // How many nearest references it looks at, at most.
  virtual Index neighbours() const { return 0; }
};

struct ReadoutOptions {
  ReadoutKind kind = ReadoutKind::knn;
  Index k = 30;        // neighbours of knn; all references where there are fewer
  bool votes = false;  // whether AgeEstimate::votes are wanted
};

// What a read-out is made of; it keeps references to the gallery and the calibration.
struct ReadoutParts {
  const Gallery& gallery;
  const Calibration& calibration;
  ReadoutOptions options;
};

}  // namespace twinage
