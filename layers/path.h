// Path: draws a network as the figures of papers draw it, layers one after the other,
//
//   Path x(in, width);
//   x.conv("Conv2d_1a_3x3", 32, {3, 3}).max_pool_halving().block("Mixed_5b", inception_a, 32);
//   Stage tower = x.done();
//
// and side by side. It keeps count of the channels, so that a part needs to say only what it puts
// out: the figure's number, which `width` scales.
#pragma once
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "layers/layer.h"
#include "layers/layers.h"

namespace twinage {

// max(8, round(channels * width / 8) * 8); ties go to the even multiple, as Python's round.
Index scaled_channels(Index channels, double width);

// A part of the network and the number of channels it puts out, which the next part needs to know.
struct Stage {
  LayerPtr layer;
  Index channels = 0;
};

// What stands between a convolution and its ReLU.
enum class Norm { none, batch };  // none: a bias

class Path {
 public:
  // in: the true number of input channels; all others are a paper's and are scaled by `width`.
  Path(Index in, double width) : channels_(in), width_(width) {}

  // Convolution, batch norm, ReLU, padded so that y is as large as x.
  Path& conv(const std::string& name, Index out, KernelSize kernel = {1, 1});
  // Not padded: y is smaller by the filter's size less one.
  Path& conv_valid(const std::string& name, Index out, KernelSize kernel, Index stride = 1);
  // Not padded, every other pixel: the grid reduction.
  Path& conv_halving(const std::string& name, Index out, KernelSize kernel);

  // Any stride and padding, with or without batch norm.
  Path& conv(const std::string& name, Index out, KernelSize kernel, Conv2d conv, Norm norm);
  // Depthwise 3 x 3, batch norm, ReLU, padded so that at stride 1 y is as large as x.
  Path& depthwise(const std::string& name, Index stride);
  // A fully connected layer and its ReLU, on x (N,1,1,C).
  Path& fully_connected(const std::string& name, Index out);

  Path& max_pool_halving();        // 3 x 3, stride 2, not padded
  Path& average_pool_smoothing();  // 3 x 3, stride 1, y as large as x
  Path& global_average();
  // The map as one pixel. x: of this path, from which the map's size is found.
  Path& flatten(Shape x);
  Path& dropout(const std::string& name, double rate);

  // Any other layer, and the number of channels that it really puts out.
  Path& add(LayerPtr layer, Index channels);
  Path& add(Stage stage) { return add(std::move(stage.layer), stage.channels); }

  // Two convolutions side by side on the same x, their outputs joined.
  Path& fork(Index out, const std::string& name_a, KernelSize a, const std::string& name_b,
             KernelSize b);

  // What make(channels so far, width, options...) draws, its parameters under `name`.
  template <class... Options>
  Path& block(const std::string& name, Stage (*make)(Index in, double width, Options...),
              std::type_identity_t<Options>... options) {
    Stage stage = make(channels_, width_, options...);
    stage.layer->prefix_names(name);
    return add(std::move(stage));
  }

  Index channels() const { return channels_; }
  Index scaled(Index channels) const { return scaled_channels(channels, width_); }

  // The drawing as one layer; the path is empty afterwards.
  Stage done();

  // Paths that start at the same x; their outputs are joined along the channels in this order.
  template <class... Paths>
  static Stage side_by_side(Paths&... paths) {
    std::vector<LayerPtr> branches;
    Index channels = 0;
    const auto take = [&](Stage stage) {
      branches.push_back(std::move(stage.layer));
      channels += stage.channels;
    };
    (take(paths.done()), ...);
    return {concat(std::move(branches)), channels};
  }

 private:
  std::vector<LayerPtr> layers_;
  Index channels_;
  double width_;
};

}  // namespace twinage
