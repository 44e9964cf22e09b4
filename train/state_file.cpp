#include "train/state_file.h"

#include <cmath>

#include "core/error.h"
#include "core/isa.h"
#include "core/output.h"
#include "train/faces/split.h"

namespace twinage {
namespace {

constexpr const char* kFormat = "twinage-state-3";

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "; "));
}

// Other faces would be split anew: some held out until now would be trained on, and the other way
// round.
void require_same_faces(const RunDirectory& directory, std::uint64_t then, std::int64_t count,
                        const std::vector<Face>& faces) {
  require(then == fingerprint(faces),
          "[train] the run in {} began with other faces ({} then, {} now): names, ages, genders, "
          "subjects or pictures differ; it can only be resumed with the same",
          directory.folder().string(), count, faces.size());
}

// The places of what is counted and measured.
RunState state_of(const SafetensorsFile& file) {
  const auto counters = file.integers("counters");
  const auto measures = file.doubles("measures");
  require(counters.size() == 5 && measures.size() == 3, "[train] {}: wrong number of counters",
          file.path().string());
  const bool sensible = counters[0] >= 0 && counters[1] >= 0 && counters[1] <= counters[0] &&
                        counters[2] >= 0 && counters[2] <= counters[0] && measures[0] >= 0 &&
                        std::isfinite(measures[0]) && std::isfinite(measures[1]);
  require(sensible, "[train] {}: expected steps in order, got {}, the best {}, validated {}",
          file.path().string(), counters[0], counters[2], counters[1]);
  RunState state;
  state.step = static_cast<std::uint64_t>(counters[0]);
  state.last_validation = static_cast<std::uint64_t>(counters[1]);
  state.best_step = static_cast<std::uint64_t>(counters[2]);
  state.seconds = measures[0];
  state.best_mae = measures[1];
  state.validated_at = measures[2];
  state.validation_pending = file.metadata().contains("validation");
  return state;
}

}  // namespace

std::string arithmetic_of(const Context& ctx) {
  // Instruction sets add in lanes of their own; only the CPU's kernels have them.
  return fmt::format("device {} in {}{}{}", to_string(ctx.device), to_string(ctx.math),
                     ctx.vendor ? " by the vendor's kernels" : "",
                     ctx.device != Device::cpu                     ? ""
                     : ctx.math == Math::bf16 && multiplies_bf16() ? " with avx512_bf16"
                                                                   : " with " + to_string(isa()));
}

std::uint64_t bytes_of_state(const std::vector<Parameter*>& parameters) {
  std::uint64_t floats = 0;
  for (const Parameter* p : parameters) floats += static_cast<std::uint64_t>(p->value.size());
  return 4 * floats * sizeof(float);  // weights, ADADELTA's two means, the best weights
}

void save_state(const RunDirectory& directory, const RunState& state, const TrainConfig& config,
                const Context& ctx, const std::vector<Face>& faces, const RunWeights& weights) {
  SafetensorsWriter writer;
  writer.set_metadata("format", kFormat);
  writer.set_metadata("config", to_toml(config, Keys::needed));
  writer.set_metadata("arithmetic", arithmetic_of(ctx));
  if (state.over) writer.set_metadata("training", "over");
  if (state.validation_pending) writer.set_metadata("validation", "pending");
  const std::int64_t counters[] = {
      static_cast<std::int64_t>(state.step), static_cast<std::int64_t>(state.last_validation),
      static_cast<std::int64_t>(state.best_step), static_cast<std::int64_t>(faces.size()),
      static_cast<std::int64_t>(fingerprint(faces))};
  const double measures[] = {state.seconds, state.best_mae, state.validated_at};
  writer.add("counters", std::span<const std::int64_t>(counters), {5});
  writer.add("measures", std::span<const double>(measures), {3});
  save_weights(writer, weights.parameters);
  weights.optimizer.save(writer);
  weights.average.save(writer);
  weights.best.save(writer, weights.parameters, "best.");
  writer.write(directory.state());
}

RunState load_state(const RunDirectory& directory, const TrainConfig& config, const Context& ctx,
                    const std::vector<Face>& faces, const RunWeights& weights) {
  directory.require_state();
  const auto file = SafetensorsFile::open(directory.state());
  const auto format = file.metadata().find("format");
  require(format != file.metadata().end() && format->second == kFormat,
          "[train] {} is not the state of a run of this version of Twinage", file.path().string());
  const TrainConfig then = config_from_toml(file.metadata("config"), file.path().string());
  const auto different = differences_that_matter(config, then);
  require(different.empty(), "[train] {} belongs to another run (asked for, there): {}",
          file.path().string(), joined(different));
  RunState state = state_of(file);
  const auto counters = file.integers("counters");
  require_same_faces(directory, static_cast<std::uint64_t>(counters[4]), counters[3], faces);
  const std::string before = file.metadata("arithmetic"), now = arithmetic_of(ctx);
  if (before != now)
    note("note: until step {} this run was computed on {}, from here on {}\n", state.step, before,
         now);
  load_weights(file, weights.parameters);
  weights.optimizer.load(file);
  weights.average.load(file);
  if (state.best_step > 0) weights.best.load(file, weights.parameters, "best.");
  // Longer than then, or shorter: training goes on, or its end comes by the steps.
  state.over = file.metadata().contains("training") && config.minutes == then.minutes;
  return state;
}

}  // namespace twinage
