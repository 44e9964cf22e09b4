// Batches of faces, decoded and their variation drawn ahead of the training step.
//
// What a batch contains is a pure function of (seed, step): neither the number of workers nor a
// stop and resume changes it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "train/faces/augment.h"
#include "train/faces/face_dataset.h"
#include "train/faces/face_store.h"

namespace twinage {

struct Batch {
  std::uint64_t step = 0;
  std::vector<Index> faces;                // indices into the dataset
  std::vector<std::uint8_t> pixels;        // RGB bytes [N][side][side][3], as the store has them
  std::vector<ImageVariation> variations;  // [N]: what becomes of them (train/model/face_input.h)
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
  // `dataset` and `store` must outlive the loader. input_side: of the images to be made.
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
