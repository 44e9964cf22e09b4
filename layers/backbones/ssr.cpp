#include "layers/backbones/ssr.h"

#include <fmt/format.h>

namespace twinage {
namespace {

constexpr Index kFused = 10;  // channels of a stream where both are multiplied

template <class... Layers>
LayerPtr in_order(Layers... layers) {
  std::vector<LayerPtr> all;
  (all.push_back(std::move(layers)), ...);
  return chain(std::move(all));
}

// The streams' channels, and what is drawn on both at once.
struct Streams {
  Index relu, tanh;

  // One block of either stream, and the pooling behind it.
  LayerPtr relu_block(int block, Index in, bool pooled) const {
    const std::string name = fmt::format("stream1.block{}", block);
    LayerPtr conv = named(name, conv_bn_relu(in, relu, {3, 3}, {}));
    return pooled ? in_order(std::move(conv), average_pool({2, 2, 0})) : std::move(conv);
  }
  LayerPtr tanh_block(int block, Index in, bool pooled) const {
    const std::string name = fmt::format("stream2.block{}", block);
    LayerPtr conv = named(name, conv_bn_tanh(in, tanh, {3, 3}, {}));
    return pooled ? in_order(std::move(conv), max_pool({2, 2, 0})) : std::move(conv);
  }

  LayerPtr on_both(LayerPtr of_relu, LayerPtr of_tanh) const {
    std::vector<Share> shares;
    shares.push_back({relu, std::move(of_relu)});
    shares.push_back({tanh, std::move(of_tanh)});
    return split(std::move(shares));
  }
  LayerPtr block(int number, bool pooled) const {
    return on_both(relu_block(number, relu, pooled), tanh_block(number, tanh, pooled));
  }

  // The product of both behind a block, windows of so many pixels averaged or searched.
  LayerPtr fused(int block, Index window) const {
    const auto narrow = [&](const char* stream, Index in) {
      return named(fmt::format("{}.fuse{}", stream, block), conv_relu(in, kFused, {1, 1}, {}));
    };
    const Pool pool{window, window, 0};
    LayerPtr left = in_order(narrow("stream1", relu), average_pool(pool), flatten());
    LayerPtr right = in_order(narrow("stream2", tanh), max_pool(pool), flatten());
    return in_order(on_both(std::move(left), std::move(right)), product_of_halves());
  }
};

LayerPtr side_by_side(LayerPtr a, LayerPtr b) {
  std::vector<LayerPtr> branches;
  branches.push_back(std::move(a));
  branches.push_back(std::move(b));
  return concat(std::move(branches));
}

}  // namespace

// Sizes at the right: the maps at 64 pixels. Each fork goes on behind what is fused there.
Stage ssr(Index input, double width) {
  const Streams both{scaled_channels(32, width), scaled_channels(16, width)};
  LayerPtr last = in_order(both.block(3, true),                                             // 6
                           both.block(4, false),                                            // 4
                           both.fused(4, 1));                                               // 4
  LayerPtr behind_2 = side_by_side(both.fused(2, 4), std::move(last));                      // 3
  LayerPtr behind_1 = side_by_side(both.fused(1, 8),                                        // 3
                                   in_order(both.block(2, true), std::move(behind_2)));     // 14
  LayerPtr first = side_by_side(both.relu_block(1, 3, true), both.tanh_block(1, 3, true));  // 31
  LayerPtr tower = in_order(std::move(first), std::move(behind_1));
  const Index features = tower->plan(Context{}, {1, input, input, 3}, Mode::eval).c;
  return {std::move(tower), features};
}

Stage ssr(const Preset& preset) {
  return ssr(preset.input, preset.width);
}

}  // namespace twinage
