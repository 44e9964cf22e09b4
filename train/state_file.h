// RUN/state.safetensors: a run between two of its sessions. Weights, the optimizer's means, the
// best weights so far, and where the run is.
#pragma once
#include <string>
#include <vector>

#include "train/faces/face_dataset.h"
#include "train/model/weights.h"
#include "train/optimizer.h"
#include "train/run_directory.h"
#include "train/run_state.h"
#include "train/settings/config.h"
#include "train/weights_average.h"

namespace twinage {

// What a state holds besides RunState.
struct RunWeights {
  std::vector<Parameter*> parameters;
  AdadeltaOptimizer& optimizer;
  WeightsCopy& best;  // of RunState::best_step
  WeightsAverage& average;
};

// Throws Error when the file cannot be written; what was there before then stays.
void save_state(const RunDirectory& directory, const RunState& state, const TrainConfig& config,
                const Context& ctx, const std::vector<Face>& faces, const RunWeights& weights);

// Fills the weights. Throws Error when the file is damaged, or of another version, or of a run with
// another configuration (where that matters) or other faces.
RunState load_state(const RunDirectory& directory, const TrainConfig& config, const Context& ctx,
                    const std::vector<Face>& faces, const RunWeights& weights);

// Bytes of such a file, nearly.
std::uint64_t bytes_of_state(const std::vector<Parameter*>& parameters);

// What a run is computed with: no part of the configuration, because a run may move to another
// machine, but its bits depend on it.
std::string arithmetic_of(const Context& ctx);

}  // namespace twinage
