#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/evaluation.h"
#include "tools/launched.h"
#include "tools/model_options.h"
#include "tools/terminal.h"
#include "train/faces/copies.h"
#include "train/faces/split.h"
#include "train/faces/split_file.h"
#include "train/model/reading_text.h"
#include "train/progress.h"

namespace twinage {
namespace {

struct EvalArguments {
  ModelOptions model;
  std::string data, out, split, part;
  std::optional<Index> fold;
  DataOptions dataset;
};

constexpr std::string_view kFigures = "{\n  \"all\": {";  // how --out begins

constexpr const char* kHelp =
    "Measures a model on faces of known age: mean absolute error (MAE), cumulative\n"
    "score (CS), accuracy within 3, 5 and 7 years (CA), gender, and \"same age class?\",\n"
    "also for each decade of age, gender and race, where a small mean can hide much.\n\n"
    "  twinage eval run --data others\n"
    "  twinage eval run --data others --readout comparison --json\n"
    "  twinage eval run --data faces --split split.txt       (its part test)\n\n"
    "Measure with faces that the model never saw. Those it was trained on are\n"
    "recognised by their files' contents and each left out of its own reading, but the\n"
    "network knows them: their figures are too good, and are given apart from others'.";

nlohmann::ordered_json as_json(const Evaluation& e, const Calibration& calibration) {
  nlohmann::ordered_json json = to_json(e.all);  // "all" first: see kFigures
  json["origins"] = origins_json(e.origins);
  json["unlike_training"] = nullptr;
  json["interval_holds"] = claim_json(calibration.claim());
  if (calibration.nearest_limit)
    json["unlike_training"] = {{"faces", e.unlike},
                               {"nearest_limit", *calibration.nearest_limit},
                               {"expected_share", 1 - calibration.limit_share()}};
  json["unseen"] = nullptr;
  if (e.unseen) json["unseen"] = to_json(*e.unseen);
  return json;
}

std::string error_by_decade(const Metrics& metrics) {
  std::vector<double> errors;
  for (const GroupMetrics& group : metrics.by_decade) errors.push_back(group.mae);
  return fmt::format("error by decade, from {}: {}\n", metrics.by_decade.front().name,
                     sparkline(errors));
}

std::string as_text(const Evaluation& e, const Calibration& calibration) {
  std::string text = origins_text(e.origins);
  if (e.unseen)
    text += fmt::format("\nThe {} faces that it never saw:\n\n{}\nAll {} faces:\n",
                        e.origins.unseen, to_table(*e.unseen), e.origins.faces);
  if (!text.empty()) text += "\n";
  text += to_table(e.all);
  if (terminal_can_draw()) text += error_by_decade(e.all);
  text += fmt::format("Intervals: {}.\n", claim_text(calibration.claim()));
  if (calibration.nearest_limit)
    text += fmt::format(
        "{} of {} faces are unlike those of training (nearest reference beyond {:.2f};\n"
        "of faces like them {:.0f} % are): do not trust their readings.\n",
        e.unlike, e.origins.faces, *calibration.nearest_limit,
        100 * (1 - calibration.limit_share()));
  return text;
}

// The part of a split that is measured: the one asked for; else test, or val where there is no
// test; of folds the one that the model was not trained on.
std::string part_of(const EvalArguments& a, const SplitFile& split, const TrainConfig& model) {
  const Index folds = split.folds();
  if (folds == 0 && a.fold) throw UsageError("[eval] " + split.name + " has no folds: use --part");
  if (folds > 0 && !a.part.empty())
    throw UsageError("[eval] " + split.name + " has folds: use --fold");
  if (folds > 0 && !a.fold && model.split.empty())
    throw UsageError(fmt::format(
        "[eval] {} has folds 0 to {}, and the model was trained without a split: add --fold",
        split.name, folds - 1));
  std::string part = folds > 0 ? fmt::format("{}", a.fold.value_or(model.fold)) : a.part;
  if (part.empty()) part = split.has("test") ? "test" : "val";
  if (!split.has(part)) throw UsageError(fmt::format("[eval] {} has no part {}", split.name, part));
  return part;
}

FaceDataset faces_of(const EvalArguments& a, const FaceReader& reader) {
  if (a.split.empty()) {
    if (a.fold || !a.part.empty()) throw UsageError("[eval] --fold and --part are of a --split");
    return a.dataset.find(a.data);
  }
  const SplitFile split = read_split(a.split);
  const std::string part = part_of(a, split, reader.model().config);
  Progress bar("comparing with the split");
  FaceDataset faces = faces_of_split(a.dataset.find(a.data, OfficialParts::all), a.data, split,
                                     std::array{part}, reader.context().threads, bar.counter());
  bar.line(fmt::format("measured: part {} of {}, {} pictures", part, a.split, faces.faces.size()));
  return faces;
}

void require_ours(const std::string& out) {
  if (out.empty()) return;
  // Figures of an earlier eval may be replaced, a file of somebody's may not.
  const std::string there = beginning_of(out, kFigures.size());
  if (!there.empty() && there != kFigures)
    throw UsageError(fmt::format(
        "[eval] {} would be overwritten, and eval did not write it: choose another --out", out));
  require_writable(out);
}

// Where ranks is not null, one of several processes: they share the faces out.
void run(const EvalArguments& a, Ranks* ranks) {
  const Ranks alone;
  const Ranks& all = ranks == nullptr ? alone : *ranks;
  all.on_first([&] { require_ours(a.out); });
  FaceReader reader = a.model.reader(ranks);
  FaceDataset faces;
  all.together([&] { faces = faces_of(a, reader); });
  all.require_same("faces of " + a.data, fmt::format("{} with fingerprint {:x}", faces.faces.size(),
                                                     fingerprint(faces.faces)));
  Readings readings;
  {
    Progress bar("reading faces");
    readings = reader.read(std::move(faces), bar.counter(), FaceStore::WhenNone::fail,
                           FaceReader::CopiesCount::once);
  }
  require(!readings.dataset.faces.empty(),
          "[eval] no face of {} is left to measure: {} skipped, the last one: {}: {}", a.data,
          readings.dataset.skipped.size(),
          readings.dataset.skipped.empty() ? "" : readings.dataset.skipped.back().path,
          readings.dataset.skipped.empty() ? "" : readings.dataset.skipped.back().reason);
  const Evaluation evaluation = evaluate(reader, readings);
  const Calibration& calibration = reader.model().calibration;
  const std::string json = as_json(evaluation, calibration).dump(2) + "\n";
  all.on_first([&] {
    if (!a.out.empty()) write_file_atomically(a.out, json);
  });
  if (!readings.dataset.copies.empty()) note("{}\n", copies_text(readings.dataset));
  if (!readings.dataset.skipped.empty())
    note("{} pictures skipped ('twinage data --decode' says why)\n",
         readings.dataset.skipped.size());
  for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
  print_result("{}", a.model.json ? json : as_text(evaluation, calibration));
}

}  // namespace

void add_eval_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("eval", "measure a model on faces of known age");
  command->footer(fmt::format("{}\n\nRead-outs:\n{}", kHelp, readout_help()));
  auto a = std::make_shared<EvalArguments>();
  a->model.add_run(*command);
  command->add_option("--data", a->data, "faces: a folder or a list")->required();
  command->add_option("--split", a->split, "a file of 'twinage split': measure a part of --data")
      ->type_name("FILE");
  command->add_option("--part", a->part, "train, val or test; test if absent")
      ->check(CLI::IsMember({"train", "val", "test"}));
  command->add_option("--fold", a->fold, "of a split into folds; the model's own if absent")
      ->check(CLI::NonNegativeNumber);
  a->dataset.add_to(*command);
  a->model.add_readout(*command);
  command->add_option("--out", a->out, "also write the figures to this JSON file");
  a->model.add_json(*command, "JSON instead of the table");
  a->model.add_device(*command);
  command->callback([a] { run_launched([&](Ranks* ranks) { run(*a, ranks); }); });
}

}  // namespace twinage
