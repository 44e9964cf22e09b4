// A model file that cannot be trusted is refused with the file's name and what is wrong in it.
#include "train/model/model_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/initialize.h"
#include "tests/support/temporary_folder.h"
#include "train/model/weights.h"
#include "train/optimizer.h"

using namespace twinage;
using twinage::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

TrainConfig example_config() {
  TrainConfig config;
  config.data = "faces";
  config.steps = 7;
  config.embedding = 8;
  return config;
}

Gallery example_gallery(Index width) {
  Gallery gallery{Tensor(matrix(3, width)), {20, 30, 40}, {"a.jpg", "b.jpg", "c.jpg"}};
  gallery.embeddings.fill(0.5F);
  return gallery;
}

// What a whole model file holds, to be written again with something changed: its checksum is right.
struct Contents {
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::vector<float>> floats;
  std::map<std::string, std::vector<Index>> shapes;
  std::map<std::string, std::vector<std::int64_t>> integers;
  std::map<std::string, std::vector<std::uint8_t>> bytes;

  explicit Contents(const SafetensorsFile& file) : metadata(file.metadata()) {
    for (const auto& [name, entry] : file.entries()) {
      shapes[name] = entry.shape;
      if (entry.dtype == DType::f32) floats[name] = file.floats(name);
      if (entry.dtype == DType::i64) integers[name] = file.integers(name);
      if (entry.dtype != DType::u8) continue;
      bytes[name].resize(file.bytes(name).size());
      std::memcpy(bytes[name].data(), file.bytes(name).data(), bytes[name].size());
    }
  }
  void write(const fs::path& path) const {
    SafetensorsWriter writer;
    for (const auto& [key, value] : metadata) writer.set_metadata(key, value);
    for (const auto& [name, values] : floats) writer.add(name, values, shapes.at(name));
    for (const auto& [name, values] : integers) writer.add(name, values, shapes.at(name));
    for (const auto& [name, values] : bytes) writer.add(name, values, shapes.at(name));
    writer.write(path);
  }
};

struct ModelFile {
  TemporaryFolder folder;
  fs::path path = folder / "model.safetensors";

  // gallery_width 0: the gallery has no embeddings.
  explicit ModelFile(Index gallery_width = 8, const Heads& heads = kPaperHeads,
                     const char* age_loss = "cross-entropy") {
    TrainConfig config = example_config();
    config.objective.heads = heads;
    config.objective.head[Task::age].loss = {age_loss};
    const bool number = inputs_of(config.objective).ages == AgeSaid::number;
    const ReadoutKind by_head = number ? ReadoutKind::direct : ReadoutKind::expectation;
    if (!has(heads, Task::embedding)) config.readout.kind = by_head;
    TwinNetwork network(preset(config.preset), heads,
                        head_forms(config.objective, config.embedding));
    initialize(network.parameters(), 1);
    Gallery gallery = example_gallery(std::max<Index>(gallery_width, 1));
    Calibration calibration{{1, 2},
                            {0.5F, 0},
                            3,
                            {{ReadoutKind::comparison, 1.0F},
                             {ReadoutKind::knn, 1.0F},
                             {ReadoutKind::prototype, 1.0F}}};
    if (gallery_width == 0) {
      gallery.embeddings = Tensor();
      calibration = {{}, {}, 3, {{by_head, 1.5F}}};
    }
    save_model(path, config, 7, 20, network, gallery, calibration);
  }
  Model changed(const std::function<void(Contents&)>& change) const {
    Contents contents(SafetensorsFile::open(path));
    change(contents);
    contents.write(folder / "changed.safetensors");
    return load_model(folder / "changed.safetensors");
  }
};

constexpr const char* kVariance = "Mixed_5b.branch1x1.bn.running_var";
constexpr const char* kFilter = "Mixed_5b.branch1x1.conv.weight";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("model: what was saved is loaded; an older file without a count of labels knew gender") {
  const ModelFile file;
  const Model model = load_model(file.path);
  CHECK(model.step == 7);
  CHECK(model.gender_labels == 20);
  CHECK(model.config.embedding == 8);
  CHECK(file.changed([](Contents& c) { c.metadata.erase("gender_labels"); }).knows_gender());
  CHECK_FALSE(file.changed([](Contents& c) { c.metadata["gender_labels"] = "0"; }).knows_gender());
}

TEST_CASE("model: weights that are not finite and negative variances are refused by name") {
  const ModelFile file;
  const float infinity = std::numeric_limits<float>::infinity();
  for (const char* name : {kFilter, kVariance, "gender.bias", "embedding.weight"})
    for (const float value : {std::nanf(""), infinity, -infinity})
      CHECK_THROWS_WITH_AS((void)file.changed([&](Contents& c) { c.floats.at(name)[1] = value; }),
                           doctest::Contains(name), Error);
  CHECK_THROWS_WITH_AS((void)file.changed([&](Contents& c) { c.floats.at(kVariance)[0] = -1e-6F; }),
                       doctest::Contains(kVariance), Error);
  CHECK_NOTHROW((void)file.changed([&](Contents& c) { c.floats.at(kFilter)[0] = -1; }));
}

TEST_CASE("model: metadata that are missing or make no sense are named with the file") {
  const ModelFile file;
  const std::vector<std::pair<std::string, std::function<void(Contents&)>>> breakages{
      {"'config'", [](Contents& c) { c.metadata.erase("config"); }},
      {"'step'", [](Contents& c) { c.metadata.erase("step"); }},
      {"'step'", [](Contents& c) { c.metadata["step"] = "7x"; }},
      {"'step'", [](Contents& c) { c.metadata["step"] = "-7"; }},
      {"'step'", [](Contents& c) { c.metadata["step"] = ""; }},
      {"'gender_labels'", [](Contents& c) { c.metadata["gender_labels"] = "-1"; }},
      {"'gender_labels'", [](Contents& c) { c.metadata["gender_labels"] = "many"; }},
      {"'config'", [](Contents& c) { c.metadata["config"] = "steps = ["; }},
      {"nosuch", [](Contents& c) { c.metadata["config"] += "\n[readout2]\nnosuch = 1\n"; }},
      {"model.embedding",
       [](Contents& c) {
         c.metadata["config"] =
             replaced(c.metadata["config"], "embedding = 8", "embedding = 1099511627776");
       }},
      {"readout.k",
       [](Contents& c) {
         c.metadata["config"] = replaced(c.metadata["config"], "k = 30", "k = -30");
       }},
      {"data.memory_gb",
       [](Contents& c) {
         c.metadata["config"] =
             replaced(c.metadata["config"], "memory_gb = 4.0", "memory_gb = nan");
       }},
      {"preset",
       [](Contents& c) {
         c.metadata["config"] =
             replaced(c.metadata["config"], "preset = 'tiny'", "preset = 'huge'");
       }},
  };
  for (const auto& breakage : breakages) {
    // Clang 14 captures no structured binding in the lambda of CAPTURE.
    const auto& named = breakage.first;
    const auto& change = breakage.second;
    CAPTURE(named);
    CHECK_THROWS_WITH_AS((void)file.changed(change), doctest::Contains(named.c_str()), Error);
    CHECK_THROWS_WITH_AS((void)file.changed(change), doctest::Contains("changed.safetensors"),
                         Error);
    // The file is at fault, not the command line: no UsageError, whose exit code is another.
    try {
      (void)file.changed(change);
    } catch (const UsageError& error) {
      FAIL(error.what());
    } catch (const Error&) {
    }
  }
}

TEST_CASE("model: references of another width than the network's embeddings are refused") {
  const ModelFile file(9);
  CHECK_THROWS_WITH_AS((void)load_model(file.path), doctest::Contains("9 numbers"), Error);
}

TEST_CASE("model: one of an age head alone is loaded whole, and reads no gender") {
  const ModelFile file(0, {Task::age});
  const Model model = load_model(file.path);
  CHECK(model.config.objective.heads == Heads{Task::age});
  CHECK(model.network->width(Task::age) == kAges);
  CHECK_FALSE(model.network->has(Task::embedding));
  CHECK_FALSE(model.gallery.has_embeddings());
  CHECK(model.gallery.names == std::vector<std::string>{"a.jpg", "b.jpg", "c.jpg"});
  CHECK(model.calibration.interval_scales.at(ReadoutKind::expectation) == 1.5F);
  CHECK(model.gender_labels == 20);
  CHECK_FALSE(model.knows_gender());  // whatever a file says of labels
  CHECK_THROWS_WITH_AS((void)file.changed([](Contents& c) { c.floats.erase("age.bias"); }),
                       doctest::Contains("age.bias"), Error);
}

TEST_CASE("model: an age head has the layer and the outputs that its loss asks for") {
  const auto shape_of = [](const Model& model, const std::string& name) {
    for (const Parameter* p : model.network->parameters())
      if (p->name == name) return p->value.shape();
    return Shape{};
  };
  for (const std::string& loss : loss_names(Task::age)) {
    CAPTURE(loss);
    const ModelFile file(0, {Task::age}, loss.c_str());
    const Model model = load_model(file.path);
    CHECK(model.config.objective.head[Task::age].loss.name == loss);
    const HeadForm form = head_form(Task::age, {loss}, 8);
    CHECK(model.network->width(Task::age) == form.outputs);
    CHECK(model.network->said(Task::age) == form.said());
    const Index rows = loss == "ranking" ? 1 : loss == "ssr" ? 21 : form.outputs;
    CHECK(shape_of(model, "age.weight").n == rows);
    CHECK(shape_of(model, "age.bias").c == (loss == "ssr" ? 21 : form.outputs));
    // Another loss's head does not fit.
    CHECK_THROWS_WITH_AS((void)file.changed([&](Contents& c) {
      c.floats["age.weight"] = std::vector<float>(5, 0.0F);
      c.shapes["age.weight"] = {1, 1, 1, 5};
    }),
                         doctest::Contains("'age.weight' has the shape (1, 1, 1, 5)"), Error);
  }
}

TEST_CASE("model: references that do not suit the heads are refused") {
  CHECK_THROWS_WITH_AS((void)load_model(ModelFile(0, kPaperHeads).path),
                       doctest::Contains("0 numbers, those of its network 8"), Error);
  CHECK_THROWS_WITH_AS((void)load_model(ModelFile(8, {Task::age}).path),
                       doctest::Contains("8 numbers, those of its network 0"), Error);
}

TEST_CASE("optimizer: sums of squares that are negative or not finite are refused by name") {
  const TemporaryFolder folder;
  TwinNetwork network(preset("tiny"), 8);
  initialize(network.parameters(), 1);
  AdadeltaOptimizer optimizer(network.place_on(Device::cpu), network.parameters(), {});
  SafetensorsWriter writer;
  optimizer.save(writer);
  writer.write(folder / "state.safetensors");
  Contents contents(SafetensorsFile::open(folder / "state.safetensors"));
  const std::string name = "optimizer.gender.bias.mean_square_step";
  for (const float value : {-1.0F, std::nanf("")}) {
    contents.floats.at(name)[0] = value;
    contents.write(folder / "broken.safetensors");
    CHECK_THROWS_WITH_AS(optimizer.load(SafetensorsFile::open(folder / "broken.safetensors")),
                         doctest::Contains(name.c_str()), Error);
  }
}
