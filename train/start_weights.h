// What a run begins with instead of random numbers: model.from.
#pragma once
#include <string>

#include "siamese/twin_network.h"
#include "train/settings/config.h"

namespace twinage {

// Sets the network's parameters from config.from: the tower from published weights of an Inception
// v3 (train/model/import/published_weights.h), or from another run of the same preset the tower and
// those heads that are alike. The others keep their values. Returns a line that says what was
// loaded and what of the file has no place here. Throws Error or UsageError, with the network as it
// was or in part set.
std::string start_from(const TrainConfig& config, TwinNetwork& network);

}  // namespace twinage
