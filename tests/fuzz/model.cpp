// What a model file holds besides weights: metadata, configuration, gallery, calibration. The input
// is a list of parts: a byte that says what it is, two bytes of length (the larger first), the
// content. They are put into a safetensors file that is well-formed itself (target safetensors sees
// to the other kind). Must hold: Error, or a model whose parts fit: a read-out accepts or refuses
// them with Error, and answers a face with a finite age within its interval.
#include <array>
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "tests/fuzz/target.h"
#include "train/model/model_file.h"

using namespace twinage;
using namespace twinage::fuzz;

namespace {

constexpr std::array kMetadata = {"format", "config", "step", "gender_labels", "checksum"};
constexpr std::array kTensors = {"gallery.embeddings",
                                 "gallery.ages",
                                 "gallery.names",
                                 "gallery.name_ends",
                                 "gallery.contents",
                                 "training.contents",
                                 "selection.contents",
                                 "calibration.distances",
                                 "calibration.probabilities",
                                 "calibration.tau",
                                 "calibration.interval_scales",
                                 "calibration.held_out",
                                 "calibration.nearest_limit",
                                 "calibration.interval_scales.expectation",
                                 "calibration.interval_widths.knn",
                                 "calibration.interval_widths.expectation"};
constexpr std::array kTypes = {"F32", "I64", "U8", "F64", "I32"};
constexpr std::array<std::size_t, 5> kSizes = {4, 8, 1, 8, 4};

// The parts' meaning: below 0x40 a piece of metadata; otherwise a tensor, whose content begins with
// its type (low half) and, for a matrix, the number of columns (high half).
class ModelBuilder {
 public:
  void add(std::size_t kind, std::string_view content) {
    if (kind < 0x40) {
      header_["__metadata__"][kMetadata[kind % kMetadata.size()]] = content;
    } else if (!content.empty()) {
      add_tensor(kTensors[kind % 0x40 % kTensors.size()], static_cast<unsigned char>(content[0]),
                 content.substr(1));
    }
  }

  std::vector<std::byte> bytes() const {
    // Bytes that are no UTF-8 become the sign for that.
    const std::string text = header_.dump(-1, ' ', false, Json::error_handler_t::replace);
    const std::uint64_t size = text.size();
    std::vector<std::byte> all(sizeof size + text.size() + data_.size());
    std::memcpy(all.data(), &size, sizeof size);
    std::memcpy(all.data() + sizeof size, text.data(), text.size());
    if (!data_.empty())
      std::memcpy(all.data() + sizeof size + text.size(), data_.data(), data_.size());
    return all;
  }

 private:
  using Json = nlohmann::json;

  void add_tensor(const char* name, unsigned type, std::string_view content) {
    const std::size_t size = kSizes[type % 16 % kSizes.size()];
    const std::size_t columns = type / 16, count = content.size() / size;
    Json shape = {count};
    if (columns > 0 && count % columns == 0) shape = {count / columns, columns};
    header_[name] = {{"dtype", kTypes[type % 16 % kTypes.size()]},
                     {"shape", shape},
                     {"data_offsets", {data_.size(), data_.size() + count * size}}};
    data_ += content.substr(0, count * size);
  }

  Json header_ = Json::object();
  std::string data_;
};

std::vector<std::byte> model_bytes(std::string_view input) {
  ModelBuilder builder;
  while (input.size() >= 3) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    const std::size_t kind = byte(0), length = std::size_t{byte(1)} << 8 | byte(2);
    input.remove_prefix(3);
    builder.add(kind, input.substr(0, length));
    input.remove_prefix(std::min(length, input.size()));
  }
  return builder.bytes();
}

void read_a_face(const Model& model) {
  const AgeReadout readout(model.gallery, model.calibration, model.config.readout);
  // What the heads that the configuration names would say.
  FaceOutputs outputs;
  const ObjectiveOptions& objective = model.config.objective;
  const HeadForm age = head_form(Task::age, objective.head[Task::age].loss, 1);
  Tensor face(matrix(1, model.config.embedding)), ages(matrix(1, age.said()));
  ages.data()[ages.size() - 1] = 1;
  if (model.has(Task::embedding)) outputs.z = face.view();
  if (model.has(Task::age)) outputs.ages = ages.view();
  for (const AgeEstimate& e : readout.estimate(Context{}, outputs)) {
    must(std::isfinite(e.age) && std::isfinite(e.low) && std::isfinite(e.high), "an age is finite");
    must(e.low >= 0 && e.low <= e.high, "an interval has an order");
    for (const auto& near : e.nearest)
      must(near.reference >= 0 && near.reference < static_cast<Index>(model.gallery.ages.size()),
           "a neighbour is in the gallery");
  }
}

}  // namespace

TWINAGE_FUZZ_TARGET(model, input) {
  const std::vector<std::byte> bytes = model_bytes(text_of(input));
  answered([&] {
    const auto file = SafetensorsFile::parse(bytes, "model.safetensors");
    const Model model = read_model_without_network(file);
    must(model.step <= 0x7FFF'FFFF'FFFF'FFFF && model.gender_labels >= 0, "numbers from 0 on");
    must(model.gallery.names.size() == model.gallery.ages.size(), "as many names as ages");
    read_a_face(model);
  });
}
