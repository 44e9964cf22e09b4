// The faces of a run: those that are trained on, those of them that are held out, those of --val.
#pragma once
#include <memory>
#include <vector>

#include "core/ranks.h"
#include "train/faces/face_dataset.h"
#include "train/faces/face_store.h"
#include "train/faces/loader.h"
#include "train/faces/split.h"
#include "train/settings/config.h"

namespace twinage {

struct RunFaces {
  RunFaces() = default;
  RunFaces(const RunFaces&) = delete;  // the stores refer to the data sets beside them
  RunFaces& operator=(const RunFaces&) = delete;

  FaceDataset faces, val_faces;
  std::unique_ptr<FaceStore> store, val_store;  // decoded; val_store is null without --val
  Split split;                                  // of faces
  std::vector<Index> val;                       // all of val_faces

  Index training() const { return static_cast<Index>(split.training.size()); }
  Index held_out() const { return static_cast<Index>(split.held_out.size()); }
};

// Reads the pictures of config.data and config.val, with progress on the terminal. Copies count
// once, and nobody is trained on who is validated on: pictures and persons that val has are left
// out of faces, with a line that says so. With config.split, faces are those of its parts to train
// on and val_faces those of its part val; pictures that are in other parts, too, are left out of
// faces, persons are as the split has them. Throws Error when more than half of the pictures cannot
// be decoded, when no face is left, and for what cannot be learnt from (train/faces/split.h).
// Several ranks share the reading of pictures; each has all of them then.
std::unique_ptr<const RunFaces> find_run_faces(const TrainConfig& config, int threads,
                                               const Ranks& ranks = {});

// Which faces make up the batch of a step, a function of the seed and the step: sampled pairs where
// the loss wants them, epochs of shuffled faces otherwise; rare ages more often where
// config.balance says so. `faces` must outlive it.
BatchPlan batch_plan(const TrainConfig& config, const RunFaces& faces);

}  // namespace twinage
