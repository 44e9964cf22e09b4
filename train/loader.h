// Batches of faces, decoded, augmented and normalised ahead of the training step.
//
// What a batch contains is a pure function of (seed, step): neither the number of workers nor a
// stop and resume changes it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/tensor.h"
#include "layers/inception_v3.h"
#include "train/augment.h"
#include "train/face_dataset.h"
#include "train/face_store.h"

namespace twinage {

struct Batch {
  std::uint64_t step = 0;
  std::vector<Index> faces;  // indices into the dataset
  Tensor images;             // (N, S, S, 3); empty when there are no faces
  std::vector<float> ages;
  std::vector<std::int32_t> genders;
};

// Which faces make up the batch of a step: a pure function of the step, called from several threads
// at once. Batches may differ in size (the last of an evaluation, say), at the price of an
// allocation.
using BatchPlan = std::function<std::vector<Index>(std::uint64_t step)>;

// Epochs of shuffled faces without replacement; a batch may span two epochs.
BatchPlan shuffled_batches(Index faces, Index batch, std::uint64_t seed);

// Worker threads fill batches ahead, at most `depth` of them; next() returns them in order.
class Loader {
 public:
  // `dataset` and `store` must outlive the loader.
  Loader(const FaceDataset& dataset, const FaceStore& store, BatchPlan plan, Index input_side,
         const AugmentOptions& augment, std::uint64_t seed, std::uint64_t first_step, int workers,
         int depth);
  ~Loader();  // stops the workers
  // The batch stays valid until the next call. Rethrows what a worker threw.
  const Batch& next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace twinage
