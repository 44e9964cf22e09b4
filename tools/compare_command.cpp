#include <cmath>
#include <memory>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/model_options.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

struct CompareArguments {
  ModelOptions model;
  std::string a, b;
};

constexpr const char* kHelp =
    "Compares two faces, which is what the network was trained for: the distance of\n"
    "their embeddings, how likely they are of the same age class, who is older. A model\n"
    "without an embedding (recipe expectation) cannot.\n\n"
    "  twinage compare run anna.jpg ben.jpg";

double distance(ConstView z) {
  double squares = 0;
  for (Index c = 0; c < z.shape.c; ++c) {
    const double d = static_cast<double>(z.pixel(0)[c]) - static_cast<double>(z.pixel(1)[c]);
    squares += d * d;
  }
  return std::sqrt(squares);
}

nlohmann::ordered_json face_json(const Readings& r, std::size_t i, const Model& model) {
  nlohmann::ordered_json json = {{"image", r.dataset.faces[i].path}, {"age", r.estimates[i].age}};
  add_warnings(json, r, i, model);
  return json;
}

void run(const CompareArguments& a) {
  FaceReader reader = a.model.reader();
  require_embedding(reader.model(), "compare");
  const Readings r = reader.read({a.a, a.b});
  require(r.dataset.skipped.empty(), "{}",
          r.dataset.skipped.empty() ? "" : description(r.dataset.skipped.front()));
  const double d = distance(r.embedded.z.view());
  const float same = reader.same_class_probability(static_cast<float>(d));
  const float tau = reader.model().calibration.tau;
  const double gap =
      static_cast<double>(r.estimates[0].age) - static_cast<double>(r.estimates[1].age);
  const std::string& older = gap >= 0 ? a.a : a.b;
  if (a.model.json) {
    const nlohmann::ordered_json json = {{"a", face_json(r, 0, reader.model())},
                                         {"b", face_json(r, 1, reader.model())},
                                         {"distance", d},
                                         {"same_class_probability", same},
                                         {"tau_years", tau},
                                         {"older", older},
                                         {"gap_years", std::fabs(gap)}};
    print_result("{}\n", to_text(json));
    return;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const AgeEstimate& e = r.estimates[i];
    print_result("{}: age {:.0f} ({})\n", r.dataset.faces[i].path, e.age,
                 interval_text(e, reader.model().calibration));
    for (const std::string& warning : warnings(r, i, reader.model()))
      print_result("  {}\n", warning);
  }
  print_result("distance {:.2f}; same age class (gap of at most {:.0f} years): {:.0f} %\n", d, tau,
               100 * same);
  if (std::fabs(gap) < 0.5)
    print_result("about the same age\n");
  else
    print_result("older, by about {:.0f} {}: {}\n", std::fabs(gap),
                 std::lround(std::fabs(gap)) == 1 ? "year" : "years", older);
  for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
}

}  // namespace

void add_compare_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("compare", "compare two faces");
  command->footer(kHelp);
  auto a = std::make_shared<CompareArguments>();
  a->model.add_run(*command);
  command->add_option("A", a->a, "a picture")->required();
  command->add_option("B", a->b, "another picture")->required();
  a->model.add_json(*command);
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
