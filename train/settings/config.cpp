#include "train/settings/config.h"

#include "core/error.h"
#include "siamese/readouts/table.h"
#include "train/settings/settings.h"

namespace twinage {
namespace {

// RUN/config.toml and the model must give back the same values; a path may hold bytes that are no
// UTF-8.
void check_that_it_can_be_written(TrainConfig& config) {
  TrainConfig back = config_from_toml(to_toml(config), "config.toml");
  const std::vector<Setting> here = settings_of(config), there = settings_of(back);
  for (std::size_t i = 0; i < here.size(); ++i)
    if (here[i].text() != there[i].text())
      throw UsageError(
          fmt::format("[config] {} cannot be written to a file: use another value or path than {}",
                      here[i].key, here[i].text()));
}

// Without weights to begin with, these would keep or slow down random ones.
void check_start(const TrainConfig& c) {
  if (!c.from.empty()) return;
  if (c.freeze != "none")
    throw UsageError(
        "[config] --freeze (model.freeze) keeps what a tower began with: add --from (model.from), "
        "or "
        "it would keep random weights");
  if (c.loaded_factor != 1)
    throw UsageError(
        "[config] optimizer.loaded_factor is of a tower that began with --from (model.from)");
}

void check_readout(const TrainConfig& c) {
  const ReadoutInputs given = inputs_of(c.objective);
  try {
    require_readable(c.readout.kind, given);
  } catch (const UsageError& error) {
    const bool other_form = readout_row(c.readout.kind).needs.ages != AgeSaid::nothing &&
                            given.ages != AgeSaid::nothing;
    throw UsageError(fmt::format("{} (readout.kind and {})", error.what(),
                                 other_form ? "loss.age_kind" : "model.heads"));
  }
}

}  // namespace

void set_value(TrainConfig& config, const std::string& key, const std::string& value) {
  if (key == "recipe")
    throw UsageError("[config] a recipe is many values at once: use --recipe, not --set recipe");
  for (const Setting& setting : settings_of(config))
    if (setting.key == key) return setting.read_argument(value);
  throw UsageError(
      fmt::format("[config] --set {}: no such key; 'twinage train --settings' lists all", key));
}

void check_settings(const TrainConfig& config) {
  TrainConfig c = config;
  for (const Setting& setting : settings_of(c)) setting.check();
  const int lengths = (c.steps > 0) + (c.epochs > 0) + (c.minutes > 0);
  if (lengths != 1)
    throw UsageError("[config] say how long to train: exactly one of --minutes, --epochs, --steps");
  if (c.split.empty() && c.fold != 0)
    throw UsageError("[config] --fold (data.fold) is of a split: add --split (data.split)");
  if (c.shards > c.batch)
    throw UsageError(
        fmt::format("[config] training.shards = {} of a batch of {}: a shard holds at "
                    "least one face",
                    c.shards, c.batch));
  check_start(c);
  check_readout(c);
  check_that_it_can_be_written(c);
}

std::vector<std::string> differences_that_matter(const TrainConfig& a, const TrainConfig& b) {
  TrainConfig copy_a = a, copy_b = b;
  const std::vector<Setting> here = settings_of(copy_a), there = settings_of(copy_b);
  std::vector<std::string> different;
  for (std::size_t i = 0; i < here.size(); ++i)
    if (here[i].resume == Resume::must_share && here[i].text() != there[i].text())
      different.push_back(fmt::format("{}: {}, {}", here[i].key, here[i].text(), there[i].text()));
  return different;
}

}  // namespace twinage
