#include <filesystem>
#include <memory>

#include <unistd.h>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/model_options.h"
#include "tools/photo_options.h"
#include "tools/photo_reader.h"
#include "tools/picture_source.h"
#include "tools/prediction_writer.h"
#include "tools/terminal.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

struct PredictArguments {
  ModelOptions model;
  PictureOptions pictures;
  PhotoOptions finder;
  bool jsonl = false, csv = false, photo = false, any_crop = false;
};

constexpr const char* kHelp =
    "Reads age and gender from pictures of faces. A picture should show one frontal\n"
    "face that fills it, as those the model was trained on; --photo looks for the faces\n"
    "in photographs and cuts each out as those were ('twinage crop --help').\n\n"
    "  twinage predict run face.jpg another.png\n"
    "  twinage predict run --json *.jpg\n"
    "  twinage predict run --photo party.jpg                     each face with its box\n"
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

// What reads, and what writes: for pictures and for photographs alike.
struct Prediction {
  const PredictionForm form;
  PictureSource source;
  FaceReader reader;
  PredictionWriter writer;
  const bool single;

  explicit Prediction(const PredictArguments& a)
      : form(form_of(a)),
        source(a.pictures),
        reader(a.model.reader()),
        writer(form, reader.model(), a.photo),
        single(is_single(a.pictures)) {
    if (form == PredictionForm::text && terminal_can_draw()) reader.keep_votes();
  }

  // Reads them with `read`, `together` at a time, so that as many as one likes need the memory of a
  // few. False: nobody takes the results any more, or the disk is full; main() says so.
  template <typename Read>
  bool run(std::size_t together, Read&& read) {
    for (auto some = source.next(together); !some.empty(); some = source.next(together)) {
      read(std::move(some));
      if (!results_written()) return false;
      show_count(writer, false);
    }
    return true;
  }

  void finish(const std::string& list, const char* what) {
    require(writer.pictures() > 0, "[predict] --list {} names no {}", list, what);
    writer.finish();
    show_count(writer, true);
    if (form == PredictionForm::text)
      for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
  }
};

// A photograph without a face is an answer, where others have some.
void run_photos(const PredictArguments& a) {
  constexpr std::size_t kPhotosTogether = 8;
  Prediction all(a);
  PhotoReader photos(a.finder.with_threads(a.model.device.threads), all.reader.model());
  if (!all.run(kPhotosTogether, [&](const std::vector<Face>& some) {
        photos.read(some, all.reader, all.writer, !all.single);
      }))
    return;
  all.finish(a.pictures.list, "photograph");
  if (!all.reader.model().crop)
    note(
        "note: this model does not say how its training faces were cropped: cut as UTKFace's "
        "are\n");
  if (all.single && all.writer.unreadable() > 0) fail("{}", all.writer.first_reason());
  require(photos.bad() == 0, "[predict] {} of {} photographs could not be read", photos.bad(),
          all.writer.pictures());
  require(photos.faces() > 0, "[predict] no face was found in any of {} photographs",
          all.writer.pictures());
}

void run(const PredictArguments& a) {
  if (a.photo) return run_photos(a);
  Prediction all(a);
  if (!a.any_crop) all.reader.watch_crops();
  if (!all.run(kPicturesTogether, [&](std::vector<Face> pictures) {
        const std::vector<std::string> names = names_of(pictures);
        const Readings readings = all.reader.read_pictures(std::move(pictures));
        all.writer.write(names, readings);
        if (!all.single)
          for (const Skipped& bad : readings.dataset.skipped)
            note("twinage: {}\n", description(bad));
      }))
    return;
  all.finish(a.pictures.list, "picture");
  if (all.single && all.writer.unreadable() > 0) fail("{}", all.writer.first_reason());
  require(all.writer.unreadable() == 0, "[predict] {} of {} pictures could not be read",
          all.writer.unreadable(), all.writer.pictures());
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
  command->add_flag("--photo", a->photo, "look for faces in photographs, and read each");
  a->finder.add_to(*command);
  command->add_flag("--any-crop", a->any_crop,
                    "do not look whether a picture is cropped as the training faces were");
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
