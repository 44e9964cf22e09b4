#include "layers/backbones/inception_v3.h"

#include "core/error.h"

namespace twinage {
namespace {

constexpr KernelSize k3x3{3, 3}, k5x5{5, 5};
constexpr KernelSize k1x7{1, 7}, k7x1{7, 1}, k1x3{1, 3}, k3x1{3, 1};

}  // namespace

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
Stage inception_v3(double width, Stem stem) {
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
  return tower.done();
}

Stage inception_v3(const Preset& preset) {
  return inception_v3(preset.width, Stem::standard);
}

Stage inception_v3_compact(const Preset& preset) {
  return inception_v3(preset.width, Stem::compact);
}

}  // namespace twinage
