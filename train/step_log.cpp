#include "train/step_log.h"

#include <algorithm>

#include <fmt/format.h>

namespace twinage {

std::optional<nlohmann::ordered_json> StepLog::add(const ObjectiveValue& value, std::uint64_t step,
                                                   double factor, double seconds) {
  sums_.total += value.total;
  for (const Task task : kTasks) {
    sums_.loss[task] += value.heads[task].loss;
    sums_.figure[task] += value.heads[task].figure;
  }
  ++sums_.steps;
  const auto n = static_cast<double>(sums_.steps), batch = static_cast<double>(config_.batch);
  const double rate = n * batch / std::max(1e-9, seconds - recorded_at_);
  const double epoch = static_cast<double>(step) * batch / static_cast<double>(training_faces_);
  line_ = fmt::format("epoch {:.1f}  loss {:.4f}  {:.0f} images/s", epoch, sums_.total / n, rate);
  if (sums_.steps < config_.record_steps) return std::nullopt;

  nlohmann::ordered_json record = {{"event", "step"},
                                   {"step", step},
                                   {"epoch", epoch},
                                   {"seconds", seconds},
                                   {"loss", sums_.total / n}};
  for (const Task task : config_.objective.heads) {
    record["losses"][to_string(task)] = sums_.loss[task] / n;
    const std::string name(value.heads[task].figure_name);
    if (!name.empty()) record[name] = sums_.figure[task] / n;
  }
  record["factor"] = factor;
  record["images_per_second"] = rate;
  sums_ = {};
  recorded_at_ = seconds;
  return record;
}

}  // namespace twinage
