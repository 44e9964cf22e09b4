// Everything that decides a training run. Written to RUN/config.toml, into the model file, and
// accepted back with --config. What each value is for, and what is allowed, is declared in
// train/settings/settings.cpp; the defaults are these.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.h"
#include "kernels/adadelta/adadelta.h"
#include "siamese/objective.h"
#include "siamese/readouts/readout.h"
#include "train/faces/augment.h"
#include "train/faces/balance.h"
#include "train/faces/labels.h"

namespace twinage {

// Of the step factor over the run; see train/step_factor.h.
enum class Schedule { constant, cosine };
template <>
struct EnumNames<Schedule> {
  static constexpr std::string_view what = "schedule";
  static constexpr EnumName<Schedule> table[] = {
      {Schedule::constant, "constant"},
      {Schedule::cosine, "cosine"},
  };
};

// What the network was fed whose weights a run starts from: (byte / 255 - mean) / deviation, with
// 0.5 and 0.5 (torchvision's Inception v3, which undoes ImageNet's values itself: transform_input;
// and timm's) or with ImageNet's means and deviations.
enum class InputScale { half, imagenet };
template <>
struct EnumNames<InputScale> {
  static constexpr std::string_view what = "input scale";
  static constexpr EnumName<InputScale> table[] = {
      {InputScale::half, "half"},
      {InputScale::imagenet, "imagenet"},
  };
};

struct TrainConfig {
  std::string recipe = "default";

  // [model]
  std::string preset = "tiny";
  Index embedding = 128;
  double radius = 0;
  std::string from;
  InputScale from_input = InputScale::half;
  std::string freeze = "none";

  // [data]
  std::string data, val;
  std::string format = "auto";
  AgeRanges age_ranges = AgeRanges::skip;
  std::string split;
  Index fold = 0;
  double held_out = 0.03;
  Index held_out_max = 1000;
  BalanceOptions balance;
  double memory_gb = 4;
  int workers = 1;

  // [loss]
  ObjectiveOptions objective;
  double positive_share = 0.5;

  // [augment]
  AugmentOptions augment{.zoom = 0.1F,
                         .rotation = 10.0F,
                         .brightness = 0.15F,
                         .contrast = 0.2F,
                         .saturation = 0.2F,
                         .erase = 0.25F};

  // [optimizer]
  Adadelta adadelta;
  double factor = 1;
  Schedule schedule = Schedule::cosine;
  Index warmup_steps = 0;
  double average = 0;
  double loaded_factor = 1;

  // [training]
  Index batch = 64;
  Index shards = 1;
  Index steps = 0;  // exactly one of the three is above 0
  double epochs = 0;
  double minutes = 0;
  std::uint64_t seed = 1;
  Index validate_steps = 0;
  double checkpoint_seconds = 60;
  Index checkpoint_steps = 0;
  Index record_steps = 50;

  // [readout]
  ReadoutOptions readout{ReadoutKind::comparison};
  bool mirror = true;
  bool zooms = true;
  Index gallery_max = 20000;
  double gallery_share = 0.1;
};

// A recipe is many values at once; train/settings/recipes.cpp has the table. Throws UsageError.
TrainConfig recipe(std::string_view name);
std::vector<std::string> recipe_names();

// What every file of to_toml begins with: a file that does not was not written by a run.
inline constexpr std::string_view kConfigTitle = "# Everything that decided this run";

// TOML in and out. Reading starts from the recipe that the text names (of a run's text, where it
// leaves out what is newer than it, from what was meant then: Setting::before); unknown keys and
// wrong types throw UsageError naming `source` and the key. Keys::needed, of a model's text: see
// Setting::later.
enum class Keys { all, needed };
std::string to_toml(const TrainConfig& config, Keys keys = Keys::all);
TrainConfig config_from_toml(std::string_view text, const std::string& source);

// Sets one value by its key, "loss.margin", from text. Throws UsageError.
void set_value(TrainConfig& config, const std::string& key, const std::string& value);

// Throws UsageError naming the first value that makes no sense.
void check_settings(const TrainConfig& config);

// The keys in which the two differ and that a resumed run must share (all but the length of the
// run and how it is watched), as "key: here, there".
std::vector<std::string> differences_that_matter(const TrainConfig& a, const TrainConfig& b);

}  // namespace twinage
