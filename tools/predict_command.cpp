#include <filesystem>
#include <memory>

#include <unistd.h>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/model_options.h"
#include "tools/photo_options.h"
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

// Faces in photographs, a few of these at a time.
class PhotoReader {
 public:
  PhotoReader(const PredictArguments& a, const Model& model)
      : cropper_(a.finder.with_threads(a.model.device.threads),
                 model.crop ? model.crop->rule() : CropRule{},
                 std::max(kLeastSide, model.network->preset().load)) {}

  void read(const std::vector<Face>& photos, FaceReader& reader, PredictionWriter& writer,
            bool single) {
    std::vector<PhotoFaces> found;
    std::vector<Face> faces;
    std::vector<std::string> remarks;
    for (const Face& photo : photos) {
      found.push_back(cropper_.crop(photo));
      const PhotoFaces& one = found.back();
      faces_ += one.faces.size();
      bad_ += one.fault.empty() ? 0 : 1;
      if (!single && one.faces.empty())
        note("twinage: {}\n", description({one.path, one.fault.empty() ? kNone : one.fault}));
      for (const CroppedFace& face : one.faces) {
        remarks.push_back(crop_remark(face));
        faces.emplace_back();
        faces.back().path = photo.path;
        faces.back().picture = face.jpeg;
      }
    }
    Readings readings;
    if (!faces.empty()) readings = reader.read_pictures(std::move(faces));
    readings.crops = std::move(remarks);
    writer.write(found, readings);
  }
  std::size_t faces() const { return faces_; }
  Index bad() const { return bad_; }

 private:
  static constexpr Index kLeastSide = 200;  // as `crop` has it
  static constexpr const char* kNone = "no face was found";

  PhotoCropper cropper_;
  std::size_t faces_ = 0;
  Index bad_ = 0;
};

constexpr std::size_t kPhotosTogether = 8;

// A photograph without a face is an answer, where others have some.
void run_photos(const PredictArguments& a) {
  const PredictionForm form = form_of(a);
  PictureSource source(a.pictures);
  FaceReader reader = a.model.reader();
  if (form == PredictionForm::text && terminal_can_draw()) reader.keep_votes();
  PhotoReader photos(a, reader.model());
  PredictionWriter writer(form, reader.model(), true);
  const bool single = is_single(a.pictures);
  for (auto some = source.next(kPhotosTogether); !some.empty();
       some = source.next(kPhotosTogether)) {
    photos.read(some, reader, writer, single);
    if (!results_written()) return;
    show_count(writer, false);
  }
  require(writer.pictures() > 0, "[predict] --list {} names no photograph", a.pictures.list);
  writer.finish();
  show_count(writer, true);
  if (form == PredictionForm::text)
    for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
  if (!reader.model().crop)
    note(
        "note: this model does not say how its training faces were cropped: cut as UTKFace's "
        "are\n");
  if (single && writer.unreadable() > 0) fail("{}", writer.first_reason());
  require(photos.bad() == 0, "[predict] {} of {} photographs could not be read", photos.bad(),
          writer.pictures());
  require(photos.faces() > 0, "[predict] no face was found in any of {} photographs",
          writer.pictures());
}

void run(const PredictArguments& a) {
  if (a.photo) return run_photos(a);
  const PredictionForm form = form_of(a);
  PictureSource source(a.pictures);
  FaceReader reader = a.model.reader();
  if (form == PredictionForm::text && terminal_can_draw()) reader.keep_votes();
  if (!a.any_crop) reader.watch_crops();
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
  command->add_flag("--photo", a->photo, "look for faces in photographs, and read each");
  a->finder.add_to(*command);
  command->add_flag("--any-crop", a->any_crop,
                    "do not look whether a picture is cropped as the training faces were");
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
