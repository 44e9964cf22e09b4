#include "layers/path.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace twinage {

Index scaled_channels(Index channels, double width) {
  // nearbyint rounds ties to even in the default rounding mode.
  const double eights = std::nearbyint(static_cast<double>(channels) * width / 8);
  return std::max<Index>(8, static_cast<Index>(eights) * 8);
}

Path& Path::conv(const std::string& name, Index out, KernelSize kernel) {
  return conv(name, out, kernel, {1, kernel.h / 2, kernel.w / 2}, Norm::batch);
}

Path& Path::conv_valid(const std::string& name, Index out, KernelSize kernel, Index stride) {
  return conv(name, out, kernel, {stride, 0, 0}, Norm::batch);
}

Path& Path::conv_halving(const std::string& name, Index out, KernelSize kernel) {
  return conv_valid(name, out, kernel, 2);
}

Path& Path::conv(const std::string& name, Index out, KernelSize kernel, Conv2d conv, Norm norm) {
  require(norm == Norm::none || norm == Norm::batch, "[path] unknown norm {}",
          static_cast<int>(norm));
  LayerPtr layer = norm == Norm::batch ? conv_bn_relu(channels_, scaled(out), kernel, conv)
                                       : conv_relu(channels_, scaled(out), kernel, conv);
  return add(named(name, std::move(layer)), scaled(out));
}

Path& Path::depthwise(const std::string& name, Index stride) {
  return add(named(name, twinage::depthwise(channels_, {3, 3}, {stride, 1, 1})), channels_);
}

Path& Path::fully_connected(const std::string& name, Index out) {
  return conv(name, out, {1, 1}, {}, Norm::none);
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

// Planning for inference takes no memory.
Path& Path::flatten(Shape x) {
  for (const LayerPtr& layer : layers_) x = layer->plan(Context{}, x, Mode::eval);
  return add(twinage::flatten(), x.h * x.w * x.c);
}

Path& Path::dropout(const std::string& name, double rate) {
  return add(named(name, twinage::dropout(rate)), channels_);
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

}  // namespace twinage
