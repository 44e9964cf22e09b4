#include <filesystem>
#include <memory>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "tools/photo_options.h"
#include "tools/photo_text.h"
#include "tools/picture_source.h"
#include "train/faces/csv.h"
#include "train/faces/photo/crop_record.h"
#include "train/model/model_file.h"
#include "train/progress.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

struct CropArguments {
  PictureOptions photos;
  PhotoOptions finder;
  std::string out, like, measure, record;
  Index side = 200, most = 1000;
  double margin = 1;
  std::vector<double> shift{0, 0};
  bool whole = false;
  int threads = 0;
};

constexpr const char* kHelp =
    "Finds the faces in photographs, turns them upright and cuts them out, all alike,\n"
    "into a new folder; crop.csv there says of each where it was, crop.json how the\n"
    "faces are cropped, which train puts into the model.\n\n"
    "  twinage crop holidays --out faces\n"
    "  twinage crop holidays --out faces --like run     as that model's training faces\n"
    "  twinage crop team.jpg --out faces --landmarks shape_predictor_5_face_landmarks.dat\n\n"
    "Of a photograph with several faces the largest keeps its name; the others get _2,\n"
    "_3 and so on. Faces that others cropped can be measured, and the model told:\n\n"
    "  twinage crop --measure utkface/train --record run\n\n"
    "What would a wrong crop cost? --whole takes each picture for a face that is cropped\n"
    "already and cuts it wider or tighter, or beside it; eval says what that does:\n\n"
    "  twinage crop --whole utkface/val --margin 0.8 --shift 0.05,0 --out wrong\n"
    "  twinage eval run --data wrong";

void check_out(const std::string& out) {
  if (out.empty()) throw UsageError("[crop] --out is missing: the folder for the faces");
  std::error_code status;
  if (fs::exists(out, status))
    require(fs::is_directory(out, status) && fs::is_empty(out, status) && !status,
            "[crop] {} is not an empty folder: name another folder, or delete it first", out);
}

CropRule rule_of(const CropArguments& a) {
  CropRule rule;
  if (a.whole) {
    rule.box = 1;
  } else if (!a.like.empty()) {
    const auto crop = load_model(a.like).crop;
    require(
        crop.has_value(),
        "[crop] {} does not say how its training faces were cropped: tell it with 'twinage crop "
        "--measure FACES --record {}'",
        a.like, a.like);
    rule = crop->rule();
    if (!a.finder.finder.detector.landmarks.empty() && !crop->eyes)
      note("note: {} does not say where its faces have their eyes: UTKFace's places are used\n",
           a.like);
  }
  // Wider by the margin, about the middle of the crop.
  const auto wider = [&](Spot spot) {
    return Spot{0.5 + (spot.x - 0.5) / a.margin + a.shift[0],
                0.5 + (spot.y - 0.5) / a.margin + a.shift[1]};
  };
  rule.box /= a.margin;
  rule.centre = wider(rule.centre);
  rule.eyes = {wider(rule.eyes.left), wider(rule.eyes.right)};
  return rule;
}

// Photographs of one name may lie in several folders.
std::string unused_name(const std::string& photo, std::size_t face, std::set<std::string>& used) {
  std::string stem = photo == "-" ? "photo" : fs::path(photo).stem().string();
  if (face > 0) stem += fmt::format("_{}", face + 1);
  std::string name = stem + ".jpg";
  for (int copy = 2; !used.insert(name).second; ++copy) name = fmt::format("{}~{}.jpg", stem, copy);
  return name;
}

void run_measure(const CropArguments& a) {
  const FaceDataset dataset = find_faces(a.measure);
  CropRecord record;
  {
    Progress bar("measuring");
    record = measure_crops(dataset.faces, a.most, a.finder.finder.detector,
                           a.finder.with_threads(a.threads).threads, bar.counter());
  }
  print_result("{}", record_text(record));
  if (a.record.empty()) return;
  record_crop(a.record, record);
  print_result("recorded in {}\n", a.record);
}

struct Counts {
  Index photos = 0, faces = 0, without = 0, bad = 0;
};

void crop_one(const CropArguments& a, const PhotoFaces& photo, std::set<std::string>& used,
              AtomicFile& csv, Counts& counts) {
  ++counts.photos;
  if (!photo.fault.empty()) {
    ++counts.bad;
    note("twinage: {}\n", description({photo.path, photo.fault}));
  } else if (photo.faces.empty()) {
    ++counts.without;
    note("{}: no face was found\n", photo.path);
  }
  for (std::size_t i = 0; i < photo.faces.size(); ++i) {
    const CroppedFace& face = photo.faces[i];
    const std::string name = unused_name(photo.path, i, used);
    const std::span<const std::byte> bytes = *face.jpeg;
    write_file_atomically(fs::path(a.out) / name, std::span(&bytes, 1));
    csv.write(
        fmt::format("{},{},{}\n", csv_field(name), csv_field(photo.path), photo_fields(face)));
    ++counts.faces;
  }
}

Counts crop_all(const CropArguments& a) {
  PictureSource source(a.photos);
  const CropRule rule = rule_of(a);
  std::optional<PhotoCropper> cropper;
  if (!a.whole) cropper.emplace(a.finder.with_threads(a.threads), rule, a.side);
  fs::create_directories(a.out);
  AtomicFile csv(fs::path(a.out) / "crop.csv");
  csv.write(fmt::format("file,photo,{}\n", kPhotoColumns));
  std::set<std::string> used;
  Counts counts;
  // One at a time: a photograph of 50 megapixels is 150 MB.
  for (auto photo = source.next(1); !photo.empty(); photo = source.next(1))
    crop_one(a, a.whole ? PhotoCropper::recrop(photo[0], rule, a.side) : cropper->crop(photo[0]),
             used, csv, counts);
  csv.commit();
  return counts;
}

// How the faces that were written are cropped, beside them.
void write_record(const CropArguments& a) {
  std::vector<Face> faces;
  for (const auto& entry : fs::directory_iterator(a.out))
    if (has_picture_extension(entry.path())) {
      faces.emplace_back();
      faces.back().path = entry.path().string();
    }
  std::ranges::sort(faces, {}, &Face::path);
  try {
    const CropRecord record = measure_crops(faces, a.most, a.finder.finder.detector,
                                            a.finder.with_threads(a.threads).threads);
    write_file_atomically(fs::path(a.out) / kCropFile, to_json(record) + "\n");
  } catch (const Error& error) {
    note("note: no {} is written: {}\n", kCropFile, error.what());
  }
}

void run(const CropArguments& a) {
  if (!a.measure.empty()) {
    if (a.photos.given() || !a.out.empty())
      throw UsageError("[crop] --measure looks at faces that are cropped: it takes no photographs");
    return run_measure(a);
  }
  if (!a.record.empty()) throw UsageError("[crop] --record needs --measure FACES");
  if (a.whole && (!a.like.empty() || !a.finder.finder.detector.landmarks.empty()))
    throw UsageError("[crop] --whole looks for no face: it goes without --like and --landmarks");
  check_out(a.out);
  const Counts counts = crop_all(a);
  require(counts.photos > 0, "[crop] --list {} names no photograph", a.photos.list);
  if (!a.whole && counts.faces > 0) write_record(a);
  print_result("{}: {} faces of {} photographs{}\n", a.out, counts.faces, counts.photos,
               counts.without == 0 ? "" : fmt::format(", none in {} of them", counts.without));
  require(counts.bad == 0, "[crop] {} of {} photographs could not be read", counts.bad,
          counts.photos);
  require(counts.faces > 0,
          "[crop] no face was found: faces smaller than a twentieth of the "
          "photograph need a higher --detail");
}

}  // namespace

void add_crop_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("crop", "find faces in photographs and cut them out alike");
  command->footer(kHelp);
  auto a = std::make_shared<CropArguments>();
  a->photos.add_to(*command);
  command->add_option("--out", a->out, "the folder to write; must be new or empty");
  command->add_option("--like", a->like, "crop as this model's training faces were cropped")
      ->type_name("RUN");
  command->add_option("--size", a->side, "pixels a side of the crops")
      ->check(CLI::Range(16, 2048))
      ->capture_default_str();
  command->add_option("--margin", a->margin, "times as wide a crop; 1: as the rule says")
      ->check(CLI::Range(0.1, 10.0))
      ->capture_default_str();
  command->add_option("--shift", a->shift, "moves the face in the crop, in sides of it: RIGHT,DOWN")
      ->delimiter(',')
      ->expected(2)
      ->type_name("X,Y");
  a->finder.add_to(*command);
  command->add_flag("--whole", a->whole, "each picture is a face already: do not look for one");
  command->add_option("--measure", a->measure, "faces: say how these are cropped")
      ->type_name("PATH");
  command->add_option("--record", a->record, "the model that --measure tells")->type_name("RUN");
  command->add_option("--most", a->most, "so many of the faces are measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_threads_option(*command, a->threads);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
