// Everything that decides a training run. Written to RUN/config.toml, into the model file, and
// accepted back with --config.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "kernels/adadelta/adadelta.h"
#include "siamese/objective.h"
#include "siamese/readouts/readout.h"
#include "train/faces/labels.h"
#include "train/faces/loader.h"

namespace twinage {

enum class Schedule {
  constant,
  cosine,  // from the full step factor to 0 over the run
};
template <>
struct EnumNames<Schedule> {
  static constexpr std::string_view what = "schedule";
  static constexpr EnumName<Schedule> table[] = {
      {Schedule::constant, "constant"},
      {Schedule::cosine, "cosine"},
  };
};

struct TrainConfig {
  std::string recipe = "default";

  // [model]
  std::string preset = "tiny";
  Index embedding = 128;

  // [data]
  std::string data, val;
  AgeRanges age_ranges = AgeRanges::skip;
  double held_out = 0.03;  // share of the training faces kept aside: selection and calibration; of
                           // small sets more is kept (held_out_count in train/faces/split.h)
  Index held_out_max = 1000;
  double memory_gb = 4;  // for decoded faces
  int workers = 1;       // threads that prepare batches; the batches do not depend on it

  // [loss]
  ObjectiveOptions objective;
  double positive_share = 0.5;  // of sampled pairs

  // [augment]
  AugmentOptions augment{.zoom = 0.1F,
                         .rotation = 10.0F,
                         .brightness = 0.15F,
                         .contrast = 0.2F,
                         .saturation = 0.2F,
                         .erase = 0.25F};

  // [optimizer]
  Adadelta adadelta;
  double factor = 1;  // ADADELTA's step factor
  Schedule schedule = Schedule::cosine;
  Index warmup_steps = 0;  // the factor grows linearly over these

  // [training]
  Index batch = 64;
  Index steps = 0;  // exactly one of the three is above 0
  double epochs = 0;
  double minutes = 0;
  std::uint64_t seed = 1;
  Index validate_steps = 0;  // 0: about fifteen times a run
  double checkpoint_seconds = 60;
  Index checkpoint_steps = 0;  // besides, every so many steps; 0: never
  Index record_steps = 50;     // metrics.jsonl gets the mean loss of every so many steps

  // [readout]
  ReadoutOptions readout{ReadoutKind::comparison};
  bool mirror = true;          // embeddings are means over a face and its mirror image
  bool zooms = true;           // and over three distances
  Index gallery_max = 20000;   // reference faces in the model file
  double gallery_share = 0.1;  // what embedding them may cost, of training (train/gallery_plan.h)
};

// "default" is what runs on real faces pointed to (docs/recipes.md); "paper" is the
// paper's: sampled pairs, revised contrastive loss, gender loss, ADADELTA. Throws UsageError.
TrainConfig recipe(std::string_view name);

// What every file of to_toml begins with: a file that does not was not written by a run.
inline constexpr std::string_view kConfigTitle = "# Everything that decided this run";

// TOML in and out. Reading starts from the recipe that the text names; unknown keys and wrong
// types throw UsageError naming `source` and the key.
std::string to_toml(const TrainConfig& config);
TrainConfig config_from_toml(std::string_view text, const std::string& source);

// Sets one value by its key, "loss.margin", from text. Throws UsageError.
void set_value(TrainConfig& config, const std::string& key, const std::string& value);

// Throws UsageError naming the first value that makes no sense.
void validate(const TrainConfig& config);

// The keys in which the two differ and that a resumed run must share (all but the length of the
// run and how it is watched), as "key: here, there".
std::vector<std::string> differences_that_matter(const TrainConfig& a, const TrainConfig& b);

// ADADELTA's step factor at `progress` in [0, 1] of the run.
double step_factor(const TrainConfig& config, std::uint64_t step, double progress);

}  // namespace twinage
