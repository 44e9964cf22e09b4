// A loss of the distances D = ||z_a - z_b|| between the embeddings of a batch: what losses of pairs
// and of whole batches have in common. Only how D becomes a loss is theirs.
#pragma once
#include "core/array.h"
#include "core/tensor.h"
#include "siamese/losses/loss.h"

namespace twinage {

class DistanceLoss : public Loss {
 public:
  // The pairs of `mode`; width: of the embedding.
  DistanceLoss(PairMode mode, const LossSetup& setup);

  void compute(const Context& ctx, View dz, ConstView z) final;

 protected:
  // dd[p] = weight * d loss / d D[p]; both [pairs], on the device.
  virtual void of_distances(const Context& ctx, float* dd, const float* d) = 0;

  const std::vector<IndexPair>& pairs() const { return pairs_; }

 private:
  std::vector<IndexPair> pairs_;
  Array<IndexPair> device_pairs_;
  Tensor distances_, ddistances_;  // on the device
};

}  // namespace twinage
