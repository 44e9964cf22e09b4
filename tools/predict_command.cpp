#include <filesystem>
#include <memory>

#include <unistd.h>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/model_options.h"
#include "tools/picture_source.h"
#include "tools/prediction_writer.h"
#include "tools/terminal.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

struct PredictArguments {
  ModelOptions model;
  PictureOptions pictures;
  bool jsonl = false, csv = false;
};

constexpr const char* kHelp =
    "Reads age and gender from pictures of faces. A picture should show one frontal\n"
    "face that fills it, as those the model was trained on.\n\n"
    "  twinage predict run face.jpg another.png\n"
    "  twinage predict run --json *.jpg\n"
    "  twinage predict run --jsonl photos > ages.jsonl           a folder, any size\n"
    "  find . -name '*.png' -print0 | twinage predict run --csv --list - --null\n"
    "  curl -s https://example.org/face.jpg | twinage predict run -\n\n"
    "The interval holds the true age of about 80 % of faces like those of training, if\n"
    "enough faces were held out to calibrate it; it says so where they were not.\n"
    "The references are the faces of known age that are nearest to this one. A picture\n"
    "whose nearest one is farther away than for 99 % of faces is said to be unlike\n"
    "them, and one that was trained on is recognised and said to be.\n"
    "With --json, --jsonl and --csv a picture that cannot be read has \"error\" instead.\n"
    "A model that was not trained on labels of both genders reads none, and one without\n"
    "an embedding (recipe expectation, say) has no references and takes every picture\n"
    "for a face.";

PredictionForm form_of(const PredictArguments& a) {
  if (a.model.json + a.jsonl + a.csv > 1)
    throw UsageError("[predict] --json, --jsonl and --csv are three forms: choose one");
  if (a.jsonl) return PredictionForm::jsonl;
  if (a.csv) return PredictionForm::csv;
  return a.model.json ? PredictionForm::json : PredictionForm::text;
}

// Exactly one file is asked for: then the error that it cannot be read is the command's own.
bool is_single(const PictureOptions& pictures) {
  std::error_code missing;
  return pictures.list.empty() && pictures.inputs.size() == 1 &&
         !std::filesystem::is_directory(pictures.inputs[0], missing);
}

std::vector<std::string> names_of(const std::vector<Face>& pictures) {
  std::vector<std::string> names;
  for (const Face& picture : pictures) names.push_back(picture.path);
  return names;
}

// Counts on a terminal, where the results go elsewhere.
void show_count(const PredictionWriter& writer, bool ended) {
  if (::isatty(STDERR_FILENO) != 1 || ::isatty(STDOUT_FILENO) == 1) return;
  note("\r{} pictures{}", writer.pictures(), ended ? "\n" : "");
}

void run(const PredictArguments& a) {
  const PredictionForm form = form_of(a);
  PictureSource source(a.pictures);
  FaceReader reader = a.model.reader();
  if (form == PredictionForm::text && terminal_can_draw()) reader.keep_votes();
  PredictionWriter writer(form, reader.model());
  const bool single = is_single(a.pictures);
  // A part at a time, so that as many pictures as one likes need the memory of a few.
  for (auto pictures = source.next(kPicturesTogether); !pictures.empty();
       pictures = source.next(kPicturesTogether)) {
    const std::vector<std::string> names = names_of(pictures);
    const Readings readings = reader.read_pictures(std::move(pictures));
    writer.write(names, readings);
    if (!single)
      for (const Skipped& bad : readings.dataset.skipped) note("twinage: {}\n", description(bad));
    if (!results_written()) return;  // nobody reads any more, or the disk is full: main() says so
    show_count(writer, false);
  }
  require(writer.pictures() > 0, "[predict] --list {} names no picture", a.pictures.list);
  writer.finish();
  show_count(writer, true);
  if (form == PredictionForm::text)
    for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
  if (single && writer.unreadable() > 0) fail("{}", writer.first_reason());
  require(writer.unreadable() == 0, "[predict] {} of {} pictures could not be read",
          writer.unreadable(), writer.pictures());
}

}  // namespace

void add_predict_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "read age and gender from pictures");
  command->footer(fmt::format("{}\n\nRead-outs:\n{}", kHelp, readout_help()));
  auto a = std::make_shared<PredictArguments>();
  a->model.add_run(*command);
  a->pictures.add_to(*command);
  a->model.add_readout(*command);
  a->model.add_json(*command, "a JSON array");
  command->add_flag("--jsonl", a->jsonl, "print a JSON object a line, as they come");
  command->add_flag("--csv", a->csv, "print comma-separated values");
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
