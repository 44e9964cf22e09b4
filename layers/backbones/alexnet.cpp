#include "layers/backbones/alexnet.h"

namespace twinage {

// Sizes at the right: the maps at 224 pixels.
Stage alexnet(Index input, double width, Norm norm) {
  constexpr double kDropped = 0.5;
  Path tower(3, width);
  tower
      .conv("features.0", 64, {11, 11}, {4, 2, 2}, norm)  // 55
      .max_pool_halving()                                 // 27
      .conv("features.3", 192, {5, 5}, {1, 2, 2}, norm)   // 27
      .max_pool_halving()                                 // 13
      .conv("features.6", 384, {3, 3}, {1, 1, 1}, norm)   // 13
      .conv("features.8", 256, {3, 3}, {1, 1, 1}, norm)   // 13
      .conv("features.10", 256, {3, 3}, {1, 1, 1}, norm)  // 13
      .max_pool_halving()                                 // 6
      .flatten({1, input, input, 3})                      // 1
      .dropout("classifier.0", kDropped)
      .fully_connected("classifier.1", 4096)
      .dropout("classifier.3", kDropped)
      .fully_connected("classifier.4", 4096);
  return tower.done();
}

Stage alexnet(const Preset& preset) {
  return alexnet(preset.input, preset.width, Norm::none);
}

Stage alexnet_bn(const Preset& preset) {
  return alexnet(preset.input, preset.width, Norm::batch);
}

}  // namespace twinage
