#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/model_options.h"
#include "tools/picture_source.h"
#include "train/faces/csv.h"
#include "train/model/reading_text.h"
#include "train/progress.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

struct EmbedArguments {
  ModelOptions model;
  std::string data, out;
  DataOptions dataset;
  PictureOptions pictures;
  bool force = false;
};

constexpr const char* kHelp =
    "Writes the embedding of every face of a data set: FILE.npy (float32, one row a\n"
    "face, for numpy.load) and FILE.csv (row, path, labels and what was read).\n\n"
    "  twinage embed run --data faces --out embeddings.npy\n"
    "  twinage embed run photos --out embeddings.npy       pictures without labels\n\n"
    "Faces that could not be read are named and left out of both; the exit code is 1\n"
    "then. Files that embed did not write are only replaced with --force.";

constexpr std::string_view kCsvTitle =
    "row,path,age,gender,race,read_age,read_low,read_high,p_female\n";
constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::size_t kReasonsShown = 10;

// NumPy's format 1.0: magic, header length, a Python literal padded to 64 bytes, the rows.
void write_npy(const fs::path& path, ConstView z) {
  std::string header = fmt::format(
      "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", z.shape.n, z.shape.c);
  constexpr std::size_t kPreamble = 10, kAlignment = 64;
  while ((kPreamble + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';
  std::string start(kNpyMagic);
  start += '\x01';
  start += '\x00';
  start += static_cast<char>(header.size() & 0xFF);
  start += static_cast<char>(header.size() >> 8);
  start += header;
  const std::span<const std::byte> parts[] = {
      std::as_bytes(std::span(start.data(), start.size())),
      std::as_bytes(std::span(z.data, static_cast<std::size_t>(z.shape.size())))};
  write_file_atomically(path, parts);
}

std::string optional_label(std::int32_t label) {
  return label < 0 ? "" : fmt::format("{}", label);
}

// The rows from `first` on. labelled: whether the faces' ages are known.
std::string csv_rows(const Readings& r, const Model& model, Index first, bool labelled) {
  const bool intervals = model.calibration.claim().kind != IntervalClaim::Kind::none;
  std::string text;
  for (std::size_t i = 0; i < r.dataset.faces.size(); ++i) {
    const Face& face = r.dataset.faces[i];
    const AgeEstimate& e = r.estimates[i];
    text += fmt::format("{},{},{},{},{},{:.2f},{},{}\n", first + static_cast<Index>(i),
                        csv_field(face.path), labelled ? fmt::format("{}", face.age) : "",
                        optional_label(face.gender), optional_label(face.race), e.age,
                        intervals ? fmt::format("{:.2f},{:.2f}", e.low, e.high) : ",",
                        model.knows_gender() ? fmt::format("{:.4f}", r.embedded.female[i]) : "");
  }
  return text;
}

// FILE.npy and FILE.csv; FILE may be given with either ending.
struct Targets {
  fs::path npy, csv;
};

// That both can be written, and that nothing of somebody else's goes: embed writes the labels
// first, so an .npy is its own only beside them.
Targets targets_of(const EmbedArguments& a) {
  fs::path base = a.out;
  if (base.extension() == ".npy" || base.extension() == ".csv") base.replace_extension();
  Targets targets{base.string() + ".npy", base.string() + ".csv"};
  const bool labels = beginning_of(targets.csv, kCsvTitle.size()) == kCsvTitle;
  const bool rows = beginning_of(targets.npy, kNpyMagic.size()) == kNpyMagic;
  std::error_code missing;
  for (const fs::path& path : {targets.npy, targets.csv}) {
    const bool ours = labels && (path == targets.csv || rows);
    if (fs::equivalent(path, a.data, missing))
      throw UsageError(
          fmt::format("[embed] {} would be overwritten: choose another --out", path.string()));
    if (fs::exists(path, missing) && !ours && !a.force)
      throw UsageError(fmt::format(
          "[embed] {} would be overwritten, and embed did not write it: choose another --out, or "
          "add --force",
          path.string()));
    require_writable(path);
  }
  return targets;
}

// What was written, and what could not be read: every reason on a line, up to a screenful.
struct Written {
  Index rows = 0, width = 0;
  std::vector<Skipped> skipped;
};

void say_what_is_missing(const Written& written, const EmbedArguments& a) {
  const std::size_t bad = written.skipped.size(), shown = std::min(bad, kReasonsShown);
  for (std::size_t i = 0; i < shown; ++i) note("left out: {}\n", description(written.skipped[i]));
  if (bad > shown && !a.data.empty())
    note("and {} more ('twinage data {} --decode' says why)\n", bad - shown, a.data);
  if (bad > shown && a.data.empty()) note("and {} more\n", bad - shown);
  require(bad == 0, "[embed] {} of {} faces could not be read: they are not in {}", bad,
          bad + static_cast<std::size_t>(written.rows), a.out);
}

Written embed_data(const EmbedArguments& a, const Targets& to, FaceReader& reader) {
  Readings readings;
  {
    Progress bar("embedding");
    readings = reader.read(a.dataset.find(a.data), bar.counter("faces"));
  }
  const ConstView z = readings.embedded.z.view();
  write_file_atomically(to.csv,
                        std::string(kCsvTitle) + csv_rows(readings, reader.model(), 0, true));
  write_npy(to.npy, z);
  return {z.shape.n, z.shape.c, std::move(readings.dataset.skipped)};
}

// A part of them at a time: in memory are all embeddings, and the pictures of one part.
Written embed_pictures(const EmbedArguments& a, const Targets& to, FaceReader& reader) {
  PictureSource source(a.pictures);
  Written written;
  AtomicFile csv(to.csv);
  csv.write(kCsvTitle);
  std::vector<float> rows;
  for (auto pictures = source.next(kPicturesTogether); !pictures.empty();
       pictures = source.next(kPicturesTogether)) {
    Readings readings = reader.read_pictures(std::move(pictures));
    for (Skipped& bad : readings.dataset.skipped) written.skipped.push_back(std::move(bad));
    if (readings.dataset.faces.empty()) continue;
    const Tensor& z = readings.embedded.z;
    csv.write(csv_rows(readings, reader.model(), written.rows, false));
    rows.insert(rows.end(), z.data(), z.data() + z.size());
    written.rows += z.shape().n;
    written.width = z.shape().c;
  }
  require(written.rows > 0, "[embed] none of {} pictures could be read{}", written.skipped.size(),
          written.skipped.empty() ? "" : "; the first: " + description(written.skipped.front()));
  csv.commit();
  write_npy(to.npy, {rows.data(), matrix(written.rows, written.width)});
  return written;
}

void run(const EmbedArguments& a) {
  if (a.data.empty() != a.pictures.given())
    throw UsageError(
        "[embed] expected --data FACES, which have labels, or pictures, folders and --list of "
        "those that have none");
  const Targets targets = targets_of(a);
  FaceReader reader = a.model.reader();
  require_embedding(reader.model(), "embed");
  const Written written =
      a.data.empty() ? embed_pictures(a, targets, reader) : embed_data(a, targets, reader);
  for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
  if (!reader.model().knows_gender()) note("note: {}\n", gender_text(0, reader.model()));
  print_result("{} faces of {} numbers in {}, {} in {}\n", written.rows, written.width,
               targets.npy.string(), a.data.empty() ? "their names" : "their labels",
               targets.csv.string());
  say_what_is_missing(written, a);
}

}  // namespace

void add_embed_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("embed", "write the embeddings of faces to a file");
  command->footer(kHelp);
  auto a = std::make_shared<EmbedArguments>();
  a->model.add_run(*command);
  a->pictures.add_to(*command);
  command->add_option("--data", a->data, "instead: faces with labels, a folder or a list");
  a->dataset.add_to(*command);
  command->add_option("--out", a->out, "file to write; .npy and .csv")->required();
  command->add_flag("--force", a->force, "replace files that embed did not write");
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
