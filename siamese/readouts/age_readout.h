// From what the network says of faces to their ages, by any of the read-outs (siamese/readouts/
// table.h): by comparison with faces of known age (Jeong et al. 2018, section 2.5; the paper's rule
// is not public, all of those are ours), or directly from an age head.
//
// Each gives an interval that is to hold the true age with a probability of 80 %: the 10 % and 90 %
// quantiles of the votes, neighbours or probabilities, at least half a year to either side of the
// age (labels are whole years), widened or narrowed by a factor calibrated on held-out faces, for
// each age where there were enough of them (siamese/interval_width.h). What it may be called
// depends on how many there were: Calibration::claim().
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "core/context.h"
#include "siamese/readouts/readout.h"
#include "siamese/readouts/table.h"

namespace twinage {

struct AgeEstimate {
  float age = 0;            // years
  float low = 0, high = 0;  // the interval: Calibration::claim() says what it holds; low >= 0
  // Up to 5, nearest first; of equal ones the first reference. None where the network gives no
  // embedding.
  std::vector<Neighbour> nearest;
  // What spoke for each whole year 0, 1, ..., as shares with the sum 1: where ReadoutOptions::votes
  // asks for it, and the read-out has more than a number.
  std::vector<float> votes = {};
};

// What a network says of faces, in memory of the host. At least one of them is there.
struct FaceOutputs {
  ConstView z{};  // embeddings, matrix(count, width); data == nullptr: none
  // What an age head says, read: P(age = a years) in column a, matrix(count, ages), or of one that
  // says a number that number of years, matrix(count, 1). data == nullptr: none.
  ConstView ages{};

  Index count() const { return ages.data != nullptr ? ages.shape.n : z.shape.n; }
};

// Which outputs there are; an embedding is one where there is a gallery to compare it with.
ReadoutInputs inputs_of(const FaceOutputs& outputs, const Gallery& gallery);

class AgeReadout {
 public:
  // Keeps references to both; they must outlive it. Throws Error on a gallery that holds numbers
  // that are not finite; where the read-out compares, on one without embeddings, and for
  // `comparison` on a calibration without steps; and on a calibration that has factors for the
  // intervals of other read-outs, but none for this one.
  AgeReadout(const Gallery& gallery, const Calibration& calibration, ReadoutOptions options);
  // One estimate for each face. Throws Error where the read-out lacks an output that it needs,
  // naming the row of z that is not finite, and the row of ages that is no distribution or number.
  // contents: content_hash of each face's picture, or empty. References of the same content are
  // left out of its reading: at distance 0 they would be all of it. Throws Error where none is left
  // for a read-out that compares.
  std::vector<AgeEstimate> estimate(const Context& ctx, const FaceOutputs& outputs,
                                    std::span<const std::uint64_t> contents = {}) const;

 private:
  void check(const FaceOutputs& outputs, std::span<const std::uint64_t> contents) const;
  void estimate_by_references(const Context& ctx, std::span<AgeEstimate> estimates,
                              const FaceOutputs& outputs,
                              std::span<const std::uint64_t> contents) const;
  // `face` but for the nearest references, which are found here.
  AgeEstimate estimate_one(FaceToRead face) const;

  const Gallery& gallery_;
  const ReadoutRow& row_;
  std::unique_ptr<Readout> rule_;
  double scale_ = 1;           // on the raw interval's half-widths
  std::vector<float> widths_;  // and at each age; empty: the same at all
  bool votes_ = false;
};

}  // namespace twinage
