#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "train/progress.h"
#include "train/reading_text.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

struct EmbedArguments {
  std::string run, data, out;
  DeviceOptions device;
};

constexpr const char* kHelp =
    "Writes the embedding of every face of a data set: FILE.npy (float32, one row a\n"
    "face, for numpy.load) and FILE.csv (row, path, labels and what was read).\n\n"
    "  twinage embed run --data faces --out embeddings.npy";

// NumPy's format 1.0: magic, header length, a Python literal padded to 64 bytes, the rows.
void write_npy(const fs::path& path, ConstView z) {
  std::string header = fmt::format(
      "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", z.shape.n, z.shape.c);
  constexpr std::size_t kPreamble = 10, kAlignment = 64;
  while ((kPreamble + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';
  std::string start = "\x93NUMPY";
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
  std::string text = "row,path,age,gender,race,read_age,read_low,read_high,p_female\n";
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

Targets targets_of(const EmbedArguments& a) {
  fs::path base = a.out;
  if (base.extension() == ".npy" || base.extension() == ".csv") base.replace_extension();
  Targets targets{base.string() + ".npy", base.string() + ".csv"};
  require_folder_of(targets.npy);
  std::error_code missing;
  for (const fs::path& path : {targets.npy, targets.csv})
    if (fs::equivalent(path, a.data, missing))
      throw UsageError(
          fmt::format("[embed] {} would be overwritten: choose another --out", path.string()));
  return targets;
}

void run(const EmbedArguments& a) {
  const auto [npy, csv] = targets_of(a);
  FaceReader reader(a.run, a.device.engine());
  Readings readings;
  {
    Progress bar("embedding");
    readings = reader.read(find_faces(a.data), [&](Index done, Index total) {
      bar.update(static_cast<double>(done) / static_cast<double>(total),
                 fmt::format("{} of {} faces", done, total));
    });
  }
  write_npy(npy, readings.embedded.z.view());
  write_csv(csv, readings, reader.model());
  for (const std::string& line : shortcomings(reader.model()))
    fmt::print(stderr, "note: {}\n", line);
  if (!reader.model().knows_gender())
    fmt::print(stderr, "note: {}\n", gender_text(0, reader.model()));
  fmt::print("{} faces of {} numbers in {}, their labels in {}\n", readings.dataset.faces.size(),
             readings.embedded.z.shape().c, npy.string(), csv.string());
}

}  // namespace

void add_embed_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("embed", "write the embeddings of faces to a file");
  command->footer(kHelp);
  auto a = std::make_shared<EmbedArguments>();
  command->add_option("RUN", a->run, "a run directory or model file")->required();
  command->add_option("--data", a->data, "faces: a folder or a CSV manifest")->required();
  command->add_option("--out", a->out, "file to write; .npy and .csv")->required();
  a->device.add_to(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
