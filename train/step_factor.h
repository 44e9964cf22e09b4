// ADADELTA's step factor over a run: what other optimizers call the learning rate.
#pragma once
#include <cstdint>

#include "train/settings/config.h"

namespace twinage {

// At `progress` in [0, 1] of the run:
//
//   constant   factor
//   cosine     factor * (1 + cos(pi * progress)) / 2
//
// over the first warmup_steps times (step + 1) / warmup_steps.
double step_factor(const TrainConfig& config, std::uint64_t step, double progress);

}  // namespace twinage
