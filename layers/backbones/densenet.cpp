#include "layers/backbones/densenet.h"

#include <fmt/format.h>

namespace twinage {
namespace {

constexpr Index kBottleneck = 4;              // channels of a layer's 1 x 1 convolution, in growths
constexpr BatchNorm kNorm{.epsilon = 1e-5F};  // PyTorch's, not Inception's

LayerPtr dense_layer(const std::string& name, Index in, Index growth) {
  std::vector<LayerPtr> pair;
  pair.push_back(bn_relu_conv(in, kBottleneck * growth, {1, 1}, {}, {"conv1", "norm1", kNorm}));
  pair.push_back(
      bn_relu_conv(kBottleneck * growth, growth, {3, 3}, {1, 1, 1}, {"conv2", "norm2", kNorm}));
  return named(name, chain(std::move(pair)));
}

// Its first channels are what `before` puts out, which writes them in place.
Stage dense_block(const std::string& name, Stage before, Index layers, Index growth) {
  std::vector<LayerPtr> parts;
  parts.push_back(std::move(before.layer));
  Index channels = before.channels;
  for (Index i = 1; i <= layers; ++i) {
    parts.push_back(dense_layer(fmt::format("{}.denselayer{}", name, i), channels, growth));
    channels += growth;
  }
  return {dense(name, std::move(parts)), channels};
}

// 3 -> initial channels, a quarter of the picture's sides.
Stage stem(Index initial) {
  std::vector<LayerPtr> parts;
  parts.push_back(conv_bn_relu(3, initial, {7, 7}, {2, 3, 3}, {"conv0", "norm0", kNorm}));
  parts.push_back(max_pool({.window = 3, .stride = 2, .pad = 1}));
  return {chain(std::move(parts)), initial};
}

Stage transition(const std::string& name, Index in) {
  std::vector<LayerPtr> parts;
  parts.push_back(named(name, bn_relu_conv(in, in / 2, {1, 1}, {}, {"conv", "norm", kNorm})));
  parts.push_back(average_pool({.window = 2, .stride = 2, .pad = 0}));
  return {chain(std::move(parts)), in / 2};
}

}  // namespace

Stage densenet(const DenseNet& net, double width) {
  const Index growth = scaled_channels(net.growth, width);
  Path tower(3, width);
  Stage before = stem(tower.scaled(net.initial));
  for (std::size_t b = 0; b < net.layers.size(); ++b) {
    tower.add(
        dense_block(fmt::format("denseblock{}", b + 1), std::move(before), net.layers[b], growth));
    if (b + 1 < net.layers.size())
      before = transition(fmt::format("transition{}", b + 1), tower.channels());
  }
  tower.add(bn_relu(tower.channels(), "norm5", kNorm), tower.channels()).global_average();
  Stage whole = tower.done();
  whole.layer->prefix_names("features");
  return whole;
}

Stage densenet121(const Preset& preset) {
  return densenet({}, preset.width);
}

}  // namespace twinage
