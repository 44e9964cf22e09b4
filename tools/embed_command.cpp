#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/model_options.h"
#include "train/model/reading_text.h"
#include "train/progress.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

struct EmbedArguments {
  ModelOptions model;
  std::string data, out;
  DataOptions dataset;
  bool force = false;
};

constexpr const char* kHelp =
    "Writes the embedding of every face of a data set: FILE.npy (float32, one row a\n"
    "face, for numpy.load) and FILE.csv (row, path, labels and what was read).\n\n"
    "  twinage embed run --data faces --out embeddings.npy\n\n"
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

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string optional_label(std::int32_t label) {
  return label < 0 ? "" : fmt::format("{}", label);
}

void write_csv(const fs::path& path, const Readings& r, const Model& model) {
  const bool intervals = model.calibration.claim().kind != IntervalClaim::Kind::none;
  std::string text(kCsvTitle);
  for (std::size_t i = 0; i < r.dataset.faces.size(); ++i) {
    const Face& face = r.dataset.faces[i];
    const AgeEstimate& e = r.estimates[i];
    text += fmt::format("{},{},{},{},{},{:.2f},{},{}\n", i, quoted(face.path), face.age,
                        optional_label(face.gender), optional_label(face.race), e.age,
                        intervals ? fmt::format("{:.2f},{:.2f}", e.low, e.high) : ",",
                        model.knows_gender() ? fmt::format("{:.4f}", r.embedded.female[i]) : "");
  }
  write_file_atomically(path, text);
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

// Every reason on a line, up to a screenful.
void say_what_is_missing(const FaceDataset& dataset, const EmbedArguments& a) {
  const std::size_t bad = dataset.skipped.size(), shown = std::min(bad, kReasonsShown);
  for (std::size_t i = 0; i < shown; ++i) note("left out: {}\n", description(dataset.skipped[i]));
  if (bad > shown) note("and {} more ('twinage data {} --decode' says why)\n", bad - shown, a.data);
  require(bad == 0, "[embed] {} of {} faces could not be read: they are not in {}", bad,
          bad + dataset.faces.size(), a.out);
}

void run(const EmbedArguments& a) {
  const auto [npy, csv] = targets_of(a);
  FaceReader reader = a.model.reader();
  require_embedding(reader.model(), "embed");
  Readings readings;
  {
    Progress bar("embedding");
    readings = reader.read(a.dataset.find(a.data), bar.counter("faces"));
  }
  write_csv(csv, readings, reader.model());
  write_npy(npy, readings.embedded.z.view());
  for (const std::string& line : shortcomings(reader.model())) note("note: {}\n", line);
  if (!reader.model().knows_gender()) note("note: {}\n", gender_text(0, reader.model()));
  print_result("{} faces of {} numbers in {}, their labels in {}\n", readings.dataset.faces.size(),
               readings.embedded.z.shape().c, npy.string(), csv.string());
  say_what_is_missing(readings.dataset, a);
}

}  // namespace

void add_embed_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("embed", "write the embeddings of faces to a file");
  command->footer(kHelp);
  auto a = std::make_shared<EmbedArguments>();
  a->model.add_run(*command);
  command->add_option("--data", a->data, "faces: a folder or a list")->required();
  a->dataset.add_to(*command);
  command->add_option("--out", a->out, "file to write; .npy and .csv")->required();
  command->add_flag("--force", a->force, "replace files that embed did not write");
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
