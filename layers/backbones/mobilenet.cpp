#include "layers/backbones/mobilenet.h"

#include <fmt/format.h>

namespace twinage {

// Sizes at the right: the maps at 224 pixels.
Stage mobilenet(double width) {
  Path tower(3, width);
  int pair = 0;
  const auto separable = [&](Index out, Index stride) {
    const std::string name = fmt::format("Conv2d_{}_", ++pair);
    tower.depthwise(name + "depthwise", stride).conv(name + "pointwise", out);
  };
  tower.conv("Conv2d_0", 32, {3, 3}, {2, 1, 1}, Norm::batch);  // 112
  separable(64, 1);                                            // 112
  separable(128, 2);                                           // 56
  separable(128, 1);                                           // 56
  separable(256, 2);                                           // 28
  separable(256, 1);                                           // 28
  separable(512, 2);                                           // 14
  for (int i = 0; i < 5; ++i) separable(512, 1);               // 14
  separable(1024, 2);                                          // 7
  separable(1024, 1);                                          // 7
  tower.global_average();                                      // 1
  return tower.done();
}

Stage mobilenet(const Preset& preset) {
  return mobilenet(preset.width);
}

}  // namespace twinage
