#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "train/face_reader.h"
#include "train/metrics.h"
#include "train/progress.h"

namespace twinage {
namespace {

constexpr Index kThresholdPairs = 50'000;

struct EvalArguments {
  std::string run, data, readout, out, age_ranges = "skip";
  bool json = false;
  DeviceOptions device;
};

constexpr std::string_view kFigures = "{\n  \"all\": {";  // how --out begins

constexpr const char* kHelp =
    "Measures a model on faces of known age: mean absolute error (MAE), cumulative\n"
    "score (CS), accuracy within 3, 5 and 7 years (CA), gender, and \"same age class?\",\n"
    "also for each decade of age, gender and race, where a small mean can hide much.\n\n"
    "  twinage eval run --data faces\n"
    "  twinage eval run --data faces --readout comparison --json";

// "Same class" is answered at the distance that is best on the model's own references, so that
// nothing is fitted to the faces being measured. None where the references make no pairs of both
// kinds.
std::optional<VerificationOptions> verification_of(const FaceReader& reader) {
  const Model& model = reader.model();
  VerificationOptions options;
  options.tau = model.calibration.tau;
  const LabelledDistances pairs =
      sample_distances(reader.context(), model.gallery.embeddings.view(), model.gallery.ages,
                       options.tau, kThresholdPairs, options.seed);
  if (pairs.distances.empty()) return std::nullopt;
  options.threshold = best_threshold(pairs);
  return options;
}

void run(const EvalArguments& a) {
  if (!a.out.empty()) {
    // Figures of an earlier eval may be replaced, a file of somebody's may not.
    const std::string there = beginning_of(a.out, kFigures.size());
    if (!there.empty() && there != kFigures)
      throw UsageError(fmt::format(
          "[eval] {} would be overwritten, and eval did not write it: choose another --out",
          a.out));
    require_writable(a.out);
  }
  FaceReader reader(a.run, a.device.engine());
  if (!a.readout.empty()) reader.use_readout(parse_readout(a.readout));
  Readings readings;
  {
    Progress bar("reading faces");
    readings = reader.read(find_faces(a.data, parse_age_ranges(a.age_ranges)),
                           [&](Index done, Index total) {
                             bar.update(static_cast<double>(done) / static_cast<double>(total),
                                        fmt::format("{} of {}", done, total));
                           });
  }
  require(!readings.dataset.faces.empty(), "[eval] no face of {} could be decoded", a.data);
  const auto verification = verification_of(reader);
  const Predictions predictions{readings.estimates, readings.embedded.female,
                                verification ? readings.embedded.z.view() : ConstView()};
  const Metrics metrics = compute_metrics(
      reader.context(), readings.dataset.faces, predictions, reader.model().gallery.ages,
      verification.value_or(VerificationOptions()), readings.dataset.race_names);
  const std::string json = to_json(metrics).dump(2) + "\n";
  if (!a.out.empty()) write_file_atomically(a.out, json);
  if (!readings.dataset.skipped.empty())
    note("{} pictures skipped ('twinage data --decode' says why)\n",
         readings.dataset.skipped.size());
  fmt::print("{}", a.json ? json : to_table(metrics));
}

}  // namespace

void add_eval_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("eval", "measure a model on faces of known age");
  command->footer(kHelp);
  auto a = std::make_shared<EvalArguments>();
  command->add_option("RUN", a->run, "a run directory or model file")->required();
  command->add_option("--data", a->data, "faces: a folder or a CSV manifest")->required();
  command
      ->add_option("--age-ranges", a->age_ranges, "skip ages such as 25-32, or take their middle")
      ->capture_default_str();
  command->add_option("--readout", a->readout,
                      "comparison, knn or prototype; the model's own if absent");
  command->add_option("--out", a->out, "also write the figures to this JSON file");
  command->add_flag("--json", a->json, "print JSON instead of the table");
  a->device.add_to(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
