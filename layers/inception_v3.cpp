#include "layers/inception_v3.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "layers/layers.h"

namespace twinage {
namespace {

constexpr KernelSize k1x1{1, 1}, k3x3{3, 3}, k5x5{5, 5};
constexpr KernelSize k1x7{1, 7}, k7x1{7, 1}, k1x3{1, 3}, k3x1{3, 1};

constexpr Pool kHalving{.window = 3, .stride = 2, .pad = 0};
constexpr Pool kSmoothing{.window = 3, .stride = 1, .pad = 1};

// Layers one after the other, drawn as the figures draw them: x -> [] -> [] -> y. Keeps count of
// the channels. Numbers of output channels are the paper's.
class Path {
 public:
  Path(Index in, double width) : channels_(in), width_(width) {}

  // Padded so that y is as large as x.
  Path& conv(const char* name, Index out, KernelSize kernel = k1x1) {
    return add_conv(name, out, kernel, {1, kernel.h / 2, kernel.w / 2});
  }
  // Not padded: y is smaller by the filter's size less one.
  Path& conv_valid(const char* name, Index out, KernelSize kernel, Index stride = 1) {
    return add_conv(name, out, kernel, {stride, 0, 0});
  }
  // Not padded, every other pixel: the grid reduction.
  Path& conv_halving(const char* name, Index out, KernelSize kernel) {
    return conv_valid(name, out, kernel, 2);
  }
  Path& max_pool_halving() { return add(max_pool(kHalving), channels_); }
  Path& average_pool_smoothing() { return add(average_pool(kSmoothing), channels_); }
  Path& global_average() { return add(global_average_pool(), channels_); }

  // Figure 7's ending: two convolutions side by side.
  Path& fork(Index out, const char* name_a, KernelSize a, const char* name_b, KernelSize b) {
    return add(side_by_side(Path(channels_, width_).conv(name_a, out, a),
                            Path(channels_, width_).conv(name_b, out, b)));
  }

  template <class... Options>
  Path& block(const char* name, Stage (*make)(Index in, double width, Options...),
              std::type_identity_t<Options>... options) {
    Stage stage = make(channels_, width_, options...);
    stage.layer->prefix_names(name);
    return add(std::move(stage));
  }

  Stage done() {
    if (layers_.size() == 1) return {std::move(layers_[0]), channels_};
    return {chain(std::move(layers_)), channels_};
  }

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
  Path& add(LayerPtr layer, Index channels) {
    layers_.push_back(std::move(layer));
    channels_ = channels;
    return *this;
  }
  Path& add(Stage stage) { return add(std::move(stage.layer), stage.channels); }
  Path& add_conv(const char* name, Index out, KernelSize kernel, Conv2d conv) {
    const Index scaled = scaled_channels(out, width_);
    return add(named(name, conv_bn_relu(channels_, scaled, kernel, conv)), scaled);
  }

  std::vector<LayerPtr> layers_;
  Index channels_;
  double width_;
};

}  // namespace

Preset preset(std::string_view name) {
  if (name == "v3") return {"v3", 299, 332, 1.0, Stem::standard};
  if (name == "small") return {"small", 128, 142, 0.5, Stem::standard};
  if (name == "tiny") return {"tiny", 72, 80, 0.25, Stem::compact};
  throw UsageError(fmt::format("[inception] no preset '{}': use tiny, small or v3", name));
}

Index scaled_channels(Index channels, double width) {
  // nearbyint rounds ties to even in the default rounding mode.
  const double eights = std::nearbyint(static_cast<double>(channels) * width / 8);
  return std::max<Index>(8, static_cast<Index>(eights) * 8);
}

Stage inception_a(Index in, double width, Index pooled) {
  const auto x = [=] { return Path(in, width); };
  return Path::side_by_side(x().conv("branch1x1", 64),
                            x().conv("branch5x5_1", 48).conv("branch5x5_2", 64, k5x5),
                            x().conv("branch3x3dbl_1", 64)
                                .conv("branch3x3dbl_2", 96, k3x3)
                                .conv("branch3x3dbl_3", 96, k3x3),
                            x().average_pool_smoothing().conv("branch_pool", pooled));
}

Stage inception_b(Index in, double width) {
  const auto x = [=] { return Path(in, width); };
  return Path::side_by_side(x().conv_halving("branch3x3", 384, k3x3),
                            x().conv("branch3x3dbl_1", 64)
                                .conv("branch3x3dbl_2", 96, k3x3)
                                .conv_halving("branch3x3dbl_3", 96, k3x3),
                            x().max_pool_halving());
}

Stage inception_c(Index in, double width, Index channels_7x7) {
  const auto x = [=] { return Path(in, width); };
  const Index c7 = channels_7x7;
  return Path::side_by_side(
      x().conv("branch1x1", 192),
      x().conv("branch7x7_1", c7).conv("branch7x7_2", c7, k1x7).conv("branch7x7_3", 192, k7x1),
      x().conv("branch7x7dbl_1", c7)
          .conv("branch7x7dbl_2", c7, k7x1)
          .conv("branch7x7dbl_3", c7, k1x7)
          .conv("branch7x7dbl_4", c7, k7x1)
          .conv("branch7x7dbl_5", 192, k1x7),
      x().average_pool_smoothing().conv("branch_pool", 192));
}

Stage inception_d(Index in, double width) {
  const auto x = [=] { return Path(in, width); };
  return Path::side_by_side(x().conv("branch3x3_1", 192).conv_halving("branch3x3_2", 320, k3x3),
                            x().conv("branch7x7x3_1", 192)
                                .conv("branch7x7x3_2", 192, k1x7)
                                .conv("branch7x7x3_3", 192, k7x1)
                                .conv_halving("branch7x7x3_4", 192, k3x3),
                            x().max_pool_halving());
}

Stage inception_e(Index in, double width) {
  const auto x = [=] { return Path(in, width); };
  return Path::side_by_side(
      x().conv("branch1x1", 320),
      x().conv("branch3x3_1", 384).fork(384, "branch3x3_2a", k1x3, "branch3x3_2b", k3x1),
      x().conv("branch3x3dbl_1", 448)
          .conv("branch3x3dbl_2", 384, k3x3)
          .fork(384, "branch3x3dbl_3a", k1x3, "branch3x3dbl_3b", k3x1),
      x().average_pool_smoothing().conv("branch_pool", 192));
}

// Sizes at the right: the maps of the standard stem at 299 pixels.
InceptionV3 inception_v3(double width, Stem stem) {
  require(stem == Stem::standard || stem == Stem::compact, "[inception_v3] unknown stem {}",
          static_cast<int>(stem));
  Path tower(3, width);
  tower
      .conv_halving("Conv2d_1a_3x3", 32, k3x3)           // 149
      .conv_valid("Conv2d_2a_3x3", 32, k3x3)             // 147
      .conv("Conv2d_2b_3x3", 64, k3x3);                  // 147
  if (stem == Stem::standard) tower.max_pool_halving();  // 73
  tower
      .conv("Conv2d_3b_1x1", 80)               // 73
      .conv_valid("Conv2d_4a_3x3", 192, k3x3)  // 71
      .max_pool_halving()                      // 35
      .block("Mixed_5b", inception_a, 32)      // 35
      .block("Mixed_5c", inception_a, 64)      // 35
      .block("Mixed_5d", inception_a, 64)      // 35
      .block("Mixed_6a", inception_b)          // 17
      .block("Mixed_6b", inception_c, 128)     // 17
      .block("Mixed_6c", inception_c, 160)     // 17
      .block("Mixed_6d", inception_c, 160)     // 17
      .block("Mixed_6e", inception_c, 192)     // 17
      .block("Mixed_7a", inception_d)          // 8
      .block("Mixed_7b", inception_e)          // 8
      .block("Mixed_7c", inception_e)          // 8
      .global_average();                       // 1
  Stage whole = tower.done();
  return {std::move(whole.layer), whole.channels};
}

}  // namespace twinage
