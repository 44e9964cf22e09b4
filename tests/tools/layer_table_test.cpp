#include "tools/layer_table.h"

#include <sstream>

#include <doctest/doctest.h>

#include "siamese/twin_network.h"

using namespace twinage;

namespace {

struct Sums {
  Index weights = 0, statistics = 0, bytes = 0;
  double flops = 0;
};

void add(Sums& sums, const nlohmann::ordered_json& part) {
  for (const auto& p : part["parameters"]) {
    Index size = 1;
    for (const auto& extent : p["shape"]) size *= extent.get<Index>();
    (p["trained"].get<bool>() ? sums.weights : sums.statistics) += size;
  }
  sums.bytes += part["activation_bytes"].get<Index>();
  sums.flops += part["flops"].get<double>();
  for (const auto& inner : part["parts"]) add(sums, inner);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("info --layers: sums are the network's, in 80 columns, for every preset") {
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    TwinNetwork network(preset(name), 128, {Task::embedding, Task::gender, Task::age});
    network.plan(Context{}, 2, Mode::train);
    const LayerDescription whole = network.describe();
    Sums json, want;
    add(json, layers_json(whole));
    for (const Parameter* p : network.parameters())
      (p->trained ? want.weights : want.statistics) += p->value.size();
    CHECK(json.weights == want.weights);
    CHECK(json.statistics == want.statistics);
    CHECK(json.bytes == network.activation_bytes());
    CHECK(json.flops == doctest::Approx(network.flops()).epsilon(1e-12));
    CHECK(whole.y == matrix(2, 128 + 2 + 101));

    const std::vector<std::string> lines = lines_of(layer_table(whole));
    std::string total;
    for (const std::string& line : lines) {
      CHECK(line.size() <= 80);
      if (line.starts_with("total ")) total = line;
    }
    std::istringstream fields(total);
    std::string word;
    Index weights = 0;
    double mflop = 0, kib = 0;
    fields >> word >> weights >> mflop >> kib;
    CHECK(weights == want.weights);
    CHECK(mflop == doctest::Approx(network.flops() / 2 * 1e-6).epsilon(1e-3));
    CHECK(kib ==
          doctest::Approx(static_cast<double>(network.activation_bytes()) / 1024).epsilon(1e-3));
    CHECK(lines[0].starts_with("name "));
  }
}

TEST_CASE("info --layers: a row says what the layer is and where it lies") {
  TwinNetwork network(preset("tiny"));
  network.plan(Context{}, 64, Mode::train);
  const std::string table = layer_table(network.describe());
  CAPTURE(table);
  const auto has = [&](const std::string& row) { return table.find(row) != std::string::npos; };
  CHECK(has("\nConv2d_1a_3x3       conv_bn_relu 3x3/2   35x35x8     232   0.53  2450\n"));
  CHECK(has("\nMixed_5b            concat of 4         15x15x64\n"));
  CHECK(has("\n- branch5x5_1       conv_bn_relu 1x1    15x15x16     800   0.35   900\n"));
  CHECK(has("\n  branch5x5_2       conv_bn_relu 5x5    15x15x16    6432   2.88   900\n"));
  CHECK(has("\n  - branch3x3_2a    conv_bn_relu 1x3      3x3x96   27840   0.50   217\n"));
  CHECK(has("\ngender              linear                     2    1026   0.00     0\n"));
  CHECK(has("at batch 64"));

  TwinNetwork padded(preset("alexnet-tiny"));
  padded.plan(Context{}, 1, Mode::eval);
  const std::string other = layer_table(padded.describe());
  CHECK(other.find("conv_relu 11x11/4 pad 2") != std::string::npos);
  CHECK(other.find("dropout 0.5") != std::string::npos);
}

TEST_CASE("info --layers: parts of a dense block are added, those of a split are on channels") {
  const auto table_of = [](const char* name) {
    TwinNetwork network(preset(name));
    network.plan(Context{}, 64, Mode::train);
    return layer_table(network.describe());
  };
  const auto has = [](const std::string& table, const std::string& row) {
    CAPTURE(table);
    CHECK(table.find(row) != std::string::npos);
  };
  const std::string dense = table_of("densenet-tiny");
  has(dense, "\nfeatures.denseblock1   dense of 7               18x18x128                10368\n");
  has(dense, "\n+ denselayer2          bn_relu_conv 1x1          18x18x64    3168   1.99  5184\n");
  has(dense, "\n  denselayer2          bn_relu_conv 3x3          18x18x16    9344   5.97     0\n");
  has(dense, "\"+\" adds its output to the block's");
  const std::string split = table_of("ssr");
  has(split, "\n-                    split of 2         14x14x48\n");
  has(split, "\n  - stream1.block2   conv_bn_relu 3x3   29x29x32    9280 15.50  6728\n");
  has(split, "\nOf a split every branch reads channels of its own.\n");
  has(table_of("mobilenet-tiny"), "\nConv2d_2_depthwise  depthwise 3x3/2 pad 1");
  for (const char* only : {"\"+\"", "Of a split"})  // a legend is there where it is needed
    CHECK(table_of("tiny").find(only) == std::string::npos);
}
