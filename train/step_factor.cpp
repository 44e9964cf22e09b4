#include "train/step_factor.h"

#include <algorithm>
#include <cmath>

namespace twinage {

double step_factor(const TrainConfig& config, std::uint64_t step, double progress) {
  double factor = config.factor;
  if (config.schedule == Schedule::cosine)
    factor *= 0.5 * (1 + std::cos(3.141592653589793 * std::clamp(progress, 0.0, 1.0)));
  const auto warmup = static_cast<double>(config.warmup_steps);
  if (static_cast<double>(step) < warmup) factor *= (static_cast<double>(step) + 1) / warmup;
  return factor;
}

}  // namespace twinage
