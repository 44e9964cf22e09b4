// FaceReader: a trained model, ready to read pictures.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "siamese/readouts/age_readout.h"
#include "train/model/embedder.h"
#include "train/model/engine.h"
#include "train/model/model_file.h"

namespace twinage {

struct Readings {
  FaceDataset dataset;                 // the faces that were read, in order; what was skipped, why
  Embedded embedded;                   // of each face
  std::vector<AgeEstimate> estimates;  // of each face; a reference is left out of its own
  std::vector<Origin> origins;         // what the model had to do with each face before
  // What is unlike training's in the crop of each face, or another remark on it; "" for nothing,
  // and no element where nobody looked.
  std::vector<std::string> crops = {};
};

class FaceReader {
 public:
  // Loads RUN/model.safetensors. readout: to use instead of the model's own. Throws Error, and
  // UsageError for a read-out that needs what the network does not give.
  FaceReader(const std::filesystem::path& run, Engine engine,
             std::optional<ReadoutKind> readout = std::nullopt);
  FaceReader(const FaceReader&) = delete;  // the read-out refers to the model beside it
  FaceReader& operator=(const FaceReader&) = delete;

  // The same for what is read from here on.
  void use_readout(ReadoutKind kind);
  // Readings::crops are filled in from here on, where the model knows how its training faces were
  // cropped and this build can look for faces; false where not.
  bool watch_crops();
  // AgeEstimate::votes are filled in from here on.
  void keep_votes();

  // Pictures, of which no label is needed. One that cannot be read is in dataset.skipped; that may
  // be all.
  Readings read_pictures(std::vector<Face> pictures);
  Readings read(const std::vector<std::string>& paths);
  // Faces of a data set. progress(done, total) as in embed_faces. Throws Error when none of them
  // can be read, unless going on is wanted. Counted once, copies are merged as in training
  // (merge_copies), and those whose ages are too far apart are in dataset.skipped.
  enum class CopiesCount { each, once };
  Readings read(FaceDataset dataset, const std::function<void(Index, Index)>& progress = {},
                FaceStore::WhenNone none = FaceStore::WhenNone::fail,
                CopiesCount copies = CopiesCount::each);

  const Model& model() const { return model_; }
  // For distances and metrics of what was read: always of the host.
  const Context& context() const { return engine_.host_context(); }
  // P(same age class) of two faces at this distance: |age gap| <= model().calibration.tau years.
  float same_class_probability(float distance) const {
    return model_.calibration.probability(distance);
  }

 private:
  std::vector<std::string> crops_of(const std::vector<Face>& faces);

  Model model_;
  Engine engine_;
  std::vector<std::unique_ptr<FaceDetector>> detectors_;  // of each thread; none: nobody looks
  std::unique_ptr<AgeReadout> readout_;
  ReadoutOptions options_;  // of readout_
};

}  // namespace twinage
