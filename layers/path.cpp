#include "layers/path.h"

#include <algorithm>
#include <cmath>

namespace twinage {

Index scaled_channels(Index channels, double width) {
  // nearbyint rounds ties to even in the default rounding mode.
  const double eights = std::nearbyint(static_cast<double>(channels) * width / 8);
  return std::max<Index>(8, static_cast<Index>(eights) * 8);
}

Path& Path::conv(const std::string& name, Index out, KernelSize kernel) {
  return add_conv(name, out, kernel, {1, kernel.h / 2, kernel.w / 2});
}

Path& Path::conv_valid(const std::string& name, Index out, KernelSize kernel, Index stride) {
  return add_conv(name, out, kernel, {stride, 0, 0});
}

Path& Path::conv_halving(const std::string& name, Index out, KernelSize kernel) {
  return conv_valid(name, out, kernel, 2);
}

Path& Path::max_pool_halving() {
  return add(max_pool({.window = 3, .stride = 2, .pad = 0}), channels_);
}

Path& Path::average_pool_smoothing() {
  return add(average_pool({.window = 3, .stride = 1, .pad = 1}), channels_);
}

Path& Path::global_average() {
  return add(global_average_pool(), channels_);
}

Path& Path::fork(Index out, const std::string& name_a, KernelSize a, const std::string& name_b,
                 KernelSize b) {
  return add(side_by_side(Path(channels_, width_).conv(name_a, out, a),
                          Path(channels_, width_).conv(name_b, out, b)));
}

Path& Path::add(LayerPtr layer, Index channels) {
  layers_.push_back(std::move(layer));
  channels_ = channels;
  return *this;
}

Stage Path::done() {
  if (layers_.size() == 1) {
    LayerPtr only = std::move(layers_[0]);
    layers_.clear();
    return {std::move(only), channels_};
  }
  return {chain(std::exchange(layers_, {})), channels_};
}

Path& Path::add_conv(const std::string& name, Index out, KernelSize kernel, Conv2d conv) {
  return add(named(name, conv_bn_relu(channels_, scaled(out), kernel, conv)), scaled(out));
}

}  // namespace twinage
