// Which faces are compared during training.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.h"
#include "core/random.h"
#include "kernels/distance/distance.h"
#include "kernels/pair_loss/pair_loss.h"

namespace twinage {

enum class PairMode {
  sampled,  // the paper's way: a batch of 2P faces is P pairs, face p with face P + p
  all,      // ours: every two faces of a batch are a pair
};
template <>
struct EnumNames<PairMode> {
  static constexpr std::string_view what = "pairs";
  static constexpr EnumName<PairMode> table[] = {
      {PairMode::sampled, "sampled"},
      {PairMode::all, "all"},
  };
};

// The pairs of a batch of `batch` faces (even for PairMode::sampled).
std::vector<IndexPair> pairs_of_batch(PairMode mode, Index batch);

// Draws the faces of a batch for PairMode::sampled: `positive_share` of the P pairs (rounded to a
// whole number, spread evenly over the list) have |age gap| <= tau (the paper's "same class"), the
// others more. Entry p and entry P + p of the result are a pair; two different faces always.
//
// The first face of a pair is drawn uniformly among those that have a partner of the wanted kind,
// the second uniformly among its partners. In the list of faces sorted by age the partners of the
// same class are one range, so a draw costs O(log faces). With weights the first face is drawn in
// proportion to them; its partner as before, so that a batch is half as balanced as they are.
class PairSampler {
 public:
  // ages in years [faces]. Throws Error when no two faces of a wanted kind exist: no two ages
  // within tau (unless positive_share is 0), or all of them (unless it is 1). weights: of each
  // face, above 0; empty: all alike.
  PairSampler(std::span<const float> ages, float tau, double positive_share,
              std::span<const double> weights = {});
  std::vector<Index> sample(Random& random, Index pairs) const;

 private:
  struct Range {
    Index begin = 0, end = 0;  // in by_age_
    Index size() const { return end - begin; }
  };
  // Faces that can be the first of a pair.
  struct Firsts {
    std::vector<Index> faces;
    std::vector<double> ends;  // sums of their weights up to each; empty: all alike

    void add(Index face, std::span<const double> weights);
    Index draw(Random& random) const;
  };
  Range same_class_as(Index face) const;  // includes the face itself
  Index positive_partner(Random& random, Index face) const;
  Index negative_partner(Random& random, Index face) const;

  std::vector<float> ages_;
  std::vector<Index> by_age_;             // face indices, sorted by age
  Firsts with_positive_, with_negative_;  // faces that have a partner of this kind
  float tau_;
  double positive_share_;
};

// The weight of each pair in the loss. Balanced: the positive pairs share one half, the negative
// ones the other (all of it goes to one kind if the other is absent); otherwise 1 / count.
std::vector<float> pair_weights(std::span<const float> gaps, const PairLoss& loss, bool balanced);
// The same into memory of the caller; weights and gaps are [count].
void pair_weights(std::span<float> weights, std::span<const float> gaps, const PairLoss& loss,
                  bool balanced);

}  // namespace twinage
