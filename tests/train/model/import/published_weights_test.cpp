#include "train/model/import/published_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/random.h"
#include "core/safetensors.h"
#include "kernels/normalize_images/normalize_images.h"
#include "layers/backbones/backbone.h"
#include "layers/initialize.h"
#include "layers/layers.h"
#include "siamese/losses/head_forms.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_context.h"
#include "train/model/import/torch_weights.h"

using namespace twinage;
using test::TestContext;
namespace fs = std::filesystem;

namespace {

const fs::path kFixtures = TWINAGE_FIXTURES;
constexpr const char* kFirst = "Conv2d_1a_3x3";

LayerPtr first_layer() {
  return named(kFirst, conv_bn_relu(3, 8, {3, 3}, {2, 0, 0}));
}

// Bytes as our networks see them.
Tensor normalized(std::span<const std::byte> bytes, Shape shape) {
  Tensor x(shape);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    x.data()[i] = (static_cast<float>(std::to_integer<int>(bytes[i])) - kPixelMean) * kPixelScale;
  return x;
}

Tensor output(Layer& layer, const Tensor& x) {
  Tensor y(layer.plan(TestContext(), x.shape(), Mode::eval));
  layer.forward(TestContext(layer.workspace()), y.view(), x.view(), Mode::eval);
  return y;
}

double largest_difference(const Tensor& y, const std::vector<float>& expected) {
  REQUIRE(y.size() == static_cast<Index>(expected.size()));
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = std::fabs(static_cast<double>(y.data()[i]) - static_cast<double>(expected[i]));
    largest = std::isnan(d) ? d : std::max(largest, d);
  }
  return largest;
}

std::string refusal(const TensorFile& file, std::span<Parameter* const> tower) {
  try {
    import_tower(file, tower);
  } catch (const Error& error) {
    return error.what();
  }
  return "(loaded)";
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The first layer's tensors as torchvision would write them, with one of them changed.
std::unique_ptr<TensorFile> written(const fs::path& path, const std::string& changed,
                                    const std::vector<float>& values, std::vector<Index> shape) {
  SafetensorsWriter writer;
  const auto add = [&](const std::string& name, std::size_t count, std::vector<Index> of) {
    if (name == changed) return;
    writer.add(std::string(kFirst) + "." + name, std::vector<float>(count, 0.5F), std::move(of));
  };
  add("conv.weight", 8 * 27, {8, 3, 3, 3});
  for (const char* name : {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"})
    add(name, 8, {8});
  if (!changed.empty() && !shape.empty())
    writer.add(std::string(kFirst) + "." + changed, values, std::move(shape));
  writer.write(path);
  return TensorFile::open(path);
}

}  // namespace

TEST_CASE("published weights: the first layer gives PyTorch's numbers, whatever it was fed there") {
  const auto expected = SafetensorsFile::open(kFixtures / "weights_expected.safetensors");
  const Tensor x = normalized(expected.bytes("image"), {1, 11, 9, 3});
  std::unique_ptr<TensorFile> file;
  try {
    file = TensorFile::open(kFixtures / "weights.pth");
  } catch (const Error& error) {
    REQUIRE(has(error.what(), "no libzip"));
    MESSAGE("this build has no libzip: .pth files WERE NOT TESTED");
    return;
  }
  LayerPtr layer = first_layer();
  const ImportedWeights imported = import_tower(*file, layer->parameters());
  CHECK(imported.loaded.size() == 5);
  CHECK(imported.left_out.size() == 18 + 1);  // and the counter of batches
  CHECK(largest_difference(output(*layer, x), expected.floats("half")) < 1e-5);
  layer = first_layer();
  import_tower(*file, layer->parameters(), {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}});
  CHECK(largest_difference(output(*layer, x), expected.floats("imagenet")) < 1e-5);
  CHECK(largest_difference(output(*layer, x), expected.floats("half")) > 0.1);
}

TEST_CASE(
    "weights for PyTorch: read back they give the tower's own numbers, for either scale of "
    "pixels") {
  const LayerPtr layer = first_layer();
  initialize(layer->parameters(), 3);
  for (Parameter* p : layer->parameters())
    if (p->name.ends_with("running_mean")) p->value.fill(0.25F);
  Tensor x({1, 9, 7, 3});
  Random random(2);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
  const Tensor before = output(*layer, x);
  const std::vector<float> expected(before.data(), before.data() + before.size());
  const test::TemporaryFolder folder;
  for (const SourceScale& scale :
       {SourceScale{}, SourceScale{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}}) {
    const std::vector<Parameter*> tower = layer->parameters();
    const auto values = exported_tower(tower, scale);
    SafetensorsWriter writer;
    for (std::size_t i = 0; i < tower.size(); ++i) {
      const Shape s = tower[i]->value.shape();
      const bool filters = s.n > 1;
      CHECK(filters == (tower[i]->name == std::string(kFirst) + ".conv.weight"));
      writer.add(tower[i]->name, values[i],
                 filters ? std::vector<Index>{s.n, s.c, s.h, s.w} : std::vector<Index>{s.c});
    }
    writer.write(folder / "w");
    const LayerPtr back = first_layer();
    import_tower(*TensorFile::open(folder / "w"), back->parameters(), scale);
    CHECK(largest_difference(output(*back, x), expected) < 2e-6);
    // In between they are another network's: of pixels that are scaled in another way.
    CHECK(values[0][0] != layer->parameters()[0]->value.data()[0]);
  }
}

TEST_CASE("weights for PyTorch: a whole network has torchvision's names, shapes and counters") {
  TwinNetwork network(preset("tiny"), 24);
  network.place_on(Device::cpu);
  initialize(network.parameters(), 5);
  const test::TemporaryFolder folder;
  write_torch_weights(network, folder / "w");
  const auto file = SafetensorsFile::open(folder / "w");
  CHECK(file.entries().size() == network.parameters().size() + 94);  // a counter for each norm
  CHECK(file.entry("Conv2d_1a_3x3.conv.weight").shape == std::vector<Index>{8, 3, 3, 3});
  CHECK(file.entry("Mixed_6b.branch7x7_2.conv.weight").shape[2] == 1);
  CHECK(file.entry("Mixed_6b.branch7x7_2.conv.weight").shape[3] == 7);
  CHECK(file.entry("Conv2d_1a_3x3.bn.running_var").shape == std::vector<Index>{8});
  CHECK(file.entry("Conv2d_1a_3x3.bn.num_batches_tracked").shape.empty());
  CHECK(file.entry("embedding.weight").shape == std::vector<Index>{24, 512});
  CHECK(file.entry("gender.weight").shape == std::vector<Index>{2, 512});
  CHECK(file.entry("gender.bias").shape == std::vector<Index>{2});
  // All of the tower comes back.
  TwinNetwork back(preset("tiny"), 24);
  import_tower(*TensorFile::open(folder / "w"), back.tower_parameters());
  const auto a = network.tower_parameters(), b = back.tower_parameters();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float* values = a[i]->value.data();
    CHECK(largest_difference(b[i]->value, {values, values + a[i]->value.size()}) < 1e-6);
  }
  ByTask<HeadForm> forms;
  forms[Task::age] = kAgeRanks;  // of one weight vector
  TwinNetwork ranking(preset("tiny"), {Task::age}, forms);
  write_torch_weights(ranking, folder / "r");
  const auto ranks = SafetensorsFile::open(folder / "r");
  CHECK(ranks.entry("age.weight").shape == std::vector<Index>{1, 512});
  CHECK(ranks.entry("age.bias").shape == std::vector<Index>{100});
  TwinNetwork alexnet(preset("alexnet-tiny"), 24);
  CHECK_THROWS_AS(write_torch_weights(alexnet, folder / "x"), UsageError);
}

TEST_CASE("published weights: what is missing, of another shape or no number is an error by name") {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "w.safetensors";
  const LayerPtr layer = first_layer();
  const std::vector<Parameter*> tower = layer->parameters();
  tower[0]->value.fill(9);
  CHECK(refusal(*written(path, "", {}, {}), tower) == "(loaded)");
  tower[0]->value.fill(9);
  CHECK(has(refusal(*written(path, "bn.bias", {}, {}), tower), "holds no 'Conv2d_1a_3x3.bn.bias'"));
  CHECK(
      has(refusal(*written(path, "conv.weight", std::vector<float>(16 * 27), {16, 3, 3, 3}), tower),
          "'Conv2d_1a_3x3.conv.weight' has the shape (16, 3, 3, 3)"));
  CHECK(
      has(refusal(*written(path, "bn.bias", std::vector<float>(8, NAN), {8}), tower), "holds nan"));
  CHECK(has(refusal(*written(path, "bn.running_var", std::vector<float>(8, -1), {8}), tower),
            "holds -1"));
  CHECK(refusal(*written(path, "bn.running_mean", std::vector<float>(8, -1), {8}), tower) ==
        "(loaded)");
  // What failed had changed nothing.
  tower[0]->value.fill(9);
  CHECK(refusal(*written(path, "bn.bias", std::vector<float>(8, NAN), {8}), tower) != "(loaded)");
  CHECK(tower[0]->value.data()[0] == 9);
}

// tests/tools/torchvision_weights.py makes the files and names their folder; without them it is
// among the skipped.
TEST_CASE("published weights: torchvision's own Inception v3, in both formats" *
          doctest::skip(std::getenv("TWINAGE_TORCHVISION") == nullptr)) {
  const fs::path folder = std::getenv("TWINAGE_TORCHVISION");
  const auto expected = SafetensorsFile::open(folder / "expected.safetensors");
  const Index n = expected.entry("images").shape[0];
  const Tensor x = normalized(expected.bytes("images"), {n, 299, 299, 3});
  for (const char* name : {"inception_v3.pth", "inception_v3.safetensors"}) {
    const Stage stage = tower(preset("v3"));
    const ImportedWeights imported =
        import_tower(*TensorFile::open(folder / name), stage.layer->parameters());
    CHECK(imported.loaded.size() == 94 * 5);
    const std::vector<float> features = expected.floats("features"),
                             theirs = expected.floats("features_float32");
    double own = 0;  // what PyTorch's float32 differs from its float64 by
    for (std::size_t i = 0; i < features.size(); ++i)
      own = std::max(own,
                     std::fabs(static_cast<double>(features[i]) - static_cast<double>(theirs[i])));
    const double difference = largest_difference(output(*stage.layer, x), features);
    const std::string of = name;
    MESSAGE(of, ": ", n, " x 2048 features up to ", std::ranges::max(features),
            "; the largest difference is ", difference, ", PyTorch's own is ", own);
    CHECK(difference < std::max(1e-5, own));
  }
}
