#include <memory>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/model_options.h"
#include "tools/terminal.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

constexpr std::size_t kNearestShown = 3;

struct PredictArguments {
  ModelOptions model;
  std::vector<std::string> images;
};

constexpr const char* kHelp =
    "Reads age and gender from pictures of faces. A picture should show one frontal\n"
    "face that fills it, as those the model was trained on.\n\n"
    "  twinage predict run face.jpg another.png\n"
    "  twinage predict run --json *.jpg\n\n"
    "The interval holds the true age of about 80 % of faces like those of training, if\n"
    "enough faces were held out to calibrate it; it says so where they were not.\n"
    "The references are the faces of known age that are nearest to this one. A picture\n"
    "whose nearest one is farther away than for 99 % of faces is said to be unlike\n"
    "them, and one that was trained on is recognised and said to be.\n"
    "With --json a picture that cannot be read has \"error\" instead. A model that was\n"
    "not trained on labels of both genders reads none, and one without an embedding\n"
    "(recipe expectation, say) has no references and takes every picture for a face.";

nlohmann::ordered_json as_json(const Readings& r, std::size_t i, const Model& model) {
  const AgeEstimate& e = r.estimates[i];
  const Gallery& gallery = model.gallery;
  const float female = r.embedded.female[i];
  nlohmann::ordered_json json = {{"image", r.dataset.faces[i].path},
                                 {"age", e.age},
                                 {"interval", interval_json(e, model.calibration)},
                                 {"interval_holds", claim_json(model.calibration.claim())},
                                 {"gender", nullptr},
                                 {"gender_probability", nullptr}};
  if (model.knows_gender()) {
    json["gender"] = says_female(female) ? "female" : "male";
    json["gender_probability"] = std::max(female, 1 - female);
  }
  add_warnings(json, r, i, model);
  json["nearest"] = nlohmann::ordered_json::array();
  for (const auto& n : e.nearest)
    json["nearest"].push_back({{"name", gallery.names[static_cast<std::size_t>(n.reference)]},
                               {"age", gallery.ages[static_cast<std::size_t>(n.reference)]},
                               {"distance", n.distance}});
  return json;
}

void print_text(const Readings& r, std::size_t i, const Model& model) {
  const AgeEstimate& e = r.estimates[i];
  const Gallery& gallery = model.gallery;
  print_result("{}\n  age {:.0f} years ({}), {}\n", r.dataset.faces[i].path, e.age,
               interval_text(e, model.calibration), gender_text(r.embedded.female[i], model));
  if (terminal_can_draw())
    print_result("{}", age_bar(e, model.calibration.claim().kind != IntervalClaim::Kind::none));
  for (const std::string& warning : warnings(r, i, model)) print_result("  {}\n", warning);
  if (e.nearest.empty()) return;
  print_result("  nearest references:");
  for (std::size_t k = 0; k < std::min(kNearestShown, e.nearest.size()); ++k)
    print_result("{} age {:.0f} at {:.2f}", k == 0 ? "" : ",",
                 gallery.ages[static_cast<std::size_t>(e.nearest[k].reference)],
                 e.nearest[k].distance);
  print_result("\n");
}

void run(const PredictArguments& a) {
  FaceReader reader = a.model.reader();
  if (!a.model.json && terminal_can_draw()) reader.keep_votes();
  const Readings readings = reader.read(a.images);
  if (a.model.json) {
    auto all = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < readings.estimates.size(); ++i)
      all.push_back(as_json(readings, i, reader.model()));
    for (const Skipped& bad : readings.dataset.skipped)
      all.push_back({{"image", bad.path}, {"error", bad.reason}});
    print_result("{}\n", to_text(all));
  } else {
    for (std::size_t i = 0; i < readings.estimates.size(); ++i)
      print_text(readings, i, reader.model());
  }
  if (!a.model.json)
    for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
  if (a.images.size() == 1 && !readings.dataset.skipped.empty())
    fail("{}", description(readings.dataset.skipped.front()));
  for (const Skipped& bad : readings.dataset.skipped) note("twinage: {}\n", description(bad));
  require(readings.dataset.skipped.empty(), "[predict] {} of {} pictures could not be read",
          readings.dataset.skipped.size(), a.images.size());
}

}  // namespace

void add_predict_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "read age and gender from pictures");
  command->footer(fmt::format("{}\n\nRead-outs:\n{}", kHelp, readout_help()));
  auto a = std::make_shared<PredictArguments>();
  a->model.add_run(*command);
  command->add_option("IMAGE", a->images, "pictures")->required();
  a->model.add_readout(*command);
  a->model.add_json(*command, "a JSON array");
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
