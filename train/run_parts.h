// What the parts of a trainer share: what is asked for, where it computes, on which faces.
#pragma once
#include <atomic>
#include <exception>

#include "siamese/twin_network.h"
#include "train/model/engine.h"
#include "train/run_directory.h"
#include "train/run_faces.h"
#include "train/settings/config.h"

namespace twinage {

struct RunParts {
  const TrainConfig& config;
  const RunDirectory& directory;
  Engine& engine;
  TwinNetwork& network;
  const RunFaces& faces;
  const std::atomic<bool>* stop;  // set from outside; may be null

  // Whether any of the processes that train was told to stop: all of them ask.
  bool stopped() const { return engine.ranks().meet(stop != nullptr && stop->load()); }
};

// Thrown when a picture can no longer be read, or whatever else ends an embedding: what was learnt
// before is to be saved.
struct FacesLost {
  std::exception_ptr reason;
};

}  // namespace twinage
