// Batches of faces, decoded, augmented and normalised ahead of the training step.
//
// What a batch contains is a pure function of (seed, step): neither the number of workers nor a
// stop and resume changes it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/random.h"
#include "core/tensor.h"
#include "layers/inception_v3.h"
#include "train/face_dataset.h"
#include "train/image.h"

namespace twinage {

struct AugmentOptions {
  bool flip = true;          // left-right, with probability 1/2
  bool crop = true;          // a random crop of preset.input out of preset.load pixels
  float zoom = 0.0F;         // crop side varies by this share either way, then is resized
  float rotation = 0.0F;     // degrees either way
  float brightness = 0.0F;   // added, share of full scale either way
  float contrast = 0.0F;     // factor 1 +- this
  float saturation = 0.0F;   // factor 1 +- this
  float erase = 0.0F;        // probability of a random grey rectangle
};

// x = (value - 127.5) / 64 [ours]: about zero mean and unit variance over faces.
constexpr float kPixelMean = 127.5F, kPixelScale = 1.0F / 64.0F;

// Decodes pictures once and keeps them at preset.load pixels as bytes, within a memory limit; what does
// not fit is decoded anew each time. Pictures that cannot be decoded are found when first needed.
class FaceStore {
 public:
  // Decodes everything that fits, on `threads` threads; faces that cannot be decoded are moved
  // from dataset.faces to dataset.skipped. Calls progress(done, total) now and then from one thread.
  FaceStore(FaceDataset& dataset, Index side, int threads, std::size_t memory_limit_bytes,
            const std::function<void(Index, Index)>& progress = {});

  Index side() const { return side_; }
  Index size() const;
  // RGB bytes [side][side][3] of face i; `scratch` is used when it is not kept in memory.
  std::span<const std::uint8_t> pixels(Index i, Image& scratch) const;

 private:
  const FaceDataset* dataset_;
  Index side_;
  std::vector<std::vector<std::uint8_t>> kept_;
};

// Writes one face into `out` (1, S, S, 3): augmented by `random`, or centre-cropped without it.
void prepare_face(View out, std::span<const std::uint8_t> rgb, Index side,
                  const AugmentOptions& augment, Random* random, bool mirror = false);

struct Batch {
  std::uint64_t step = 0;
  std::vector<Index> faces;  // indices into the dataset
  Tensor images;             // (N, S, S, 3)
  std::vector<float> ages;
  std::vector<std::int32_t> genders;
};

// Which faces make up the batch of a step: a pure function of the step.
using BatchPlan = std::function<std::vector<Index>(std::uint64_t step)>;

// Epochs of shuffled faces without replacement; a batch may span two epochs.
BatchPlan shuffled_batches(Index faces, Index batch, std::uint64_t seed);

// Worker threads fill batches ahead, at most `depth` of them; next() returns them in order.
class Loader {
 public:
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
