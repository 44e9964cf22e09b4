// Batches of faces, decoded and their variation drawn ahead of the training step.
//
// What a batch contains is a pure function of (seed, step): neither the number of workers nor a
// stop and resume changes it.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "train/faces/augment.h"
#include "train/faces/face_dataset.h"
#include "train/faces/face_store.h"

namespace twinage {

struct Batch {
  std::uint64_t step = 0;
  std::vector<Index> faces;  // indices into the dataset
  // Of the Places asked for, P of N: RGB bytes [P][side][side][3], as the store has them, and what
  // becomes of them (train/model/face_input.h).
  std::vector<std::uint8_t> pixels;
  std::vector<ImageVariation> variations;
  std::vector<float> ages;
  std::vector<std::int32_t> genders;
};

// Which faces make up the batch of a step: a pure function of the step, called from several threads
// at once. Batches may differ in size (the last of an evaluation, say), at the price of an
// allocation.
using BatchPlan = std::function<std::vector<Index>(std::uint64_t step)>;

// Epochs of shuffled faces without replacement; a batch may span two epochs.
BatchPlan shuffled_batches(Index faces, Index batch, std::uint64_t seed);

// The same where not every face is to come equally often: face i comes floor(w_i) or ceil(w_i)
// times in an epoch, w_i times in the mean over epochs. Every epoch has as many faces as there are:
//
//   times_i = floor(W_i + u) - floor(W_(i-1) + u),  W_i = w_0 + ... + w_i
//
// (systematic sampling). u is another number of [0, 1) in each epoch e: u = frac(u_0 + e g), with
// u_0 from the seed and the golden section g, whose multiples leave no gap long unvisited; so a
// face of weight w is left out of less than 3 / w epochs in a row, and epoch e is known without
// those before it [ours]. Weights of one give the batches of the function above. Throws Error
// unless the weights are finite, at least 0 and have the mean 1.
BatchPlan weighted_batches(std::span<const double> weights, Index batch, std::uint64_t seed);

// The places of a batch whose faces a process computes. All others it leaves to others: of those it
// has the labels, and no pictures are read.
struct Places {
  Index first = 0;
  Index count = std::numeric_limits<Index>::max();  // or as many as there are
};

// Worker threads fill batches ahead, at most `depth` of them; next() returns them in order.
class Loader {
 public:
  // `dataset` and `store` must outlive the loader. input_side: of the images to be made.
  Loader(const FaceDataset& dataset, const FaceStore& store, BatchPlan plan, Index input_side,
         const AugmentOptions& augment, std::uint64_t seed, std::uint64_t first_step, int workers,
         int depth, Places places = {});
  ~Loader();  // stops the workers
  // The batch stays valid until the next call. Rethrows what a worker threw.
  const Batch& next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace twinage
