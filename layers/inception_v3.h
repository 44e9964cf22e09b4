// The Inception-v3 tower (Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer
// Vision"), torchvision's variant without auxiliary and classifier heads: 21,785,568 parameters at
// width 1. Blocks A to E are the paper's figures 5, 10 (grid reduction), 6, 10, 7.
#pragma once
#include <string>
#include <string_view>

#include "layers/layer.h"

namespace twinage {

enum class Stem {
  standard,  // the paper's
  compact,   // ours, for inputs under about 128 px: the first max-pool is left out
};

struct Preset {
  std::string name;
  Index input = 299;   // pixels a side that the tower sees
  Index load = 332;    // pixels a side that a face is resized to before it is cropped
  double width = 1.0;  // factor on every number of channels, rounded to a multiple of 8
  Stem stem = Stem::standard;
};

// "v3" is the paper's; "small" and "tiny" are ours. Throws UsageError for another name.
Preset preset(std::string_view name);

// max(8, round(channels * width / 8) * 8); ties go to the even multiple, as Python's round.
Index scaled_channels(Index channels, double width);

// A part of the network and the number of channels it puts out, which the next part needs to know.
struct Stage {
  LayerPtr layer;
  Index channels = 0;
};

// The blocks; `in` is the true number of input channels, all others are the paper's and are scaled
// by `width`. Branches come in torchvision's order and under its names ("branch5x5_1...").
Stage inception_a(Index in, double width, Index pooled);        // figure 5
Stage inception_b(Index in, double width);                      // figure 10: halves 35 x 35
Stage inception_c(Index in, double width, Index channels_7x7);  // figure 6, n = 7
Stage inception_d(Index in, double width);                      // figure 10: halves 17 x 17
Stage inception_e(Index in, double width);                      // figure 7

// Output: (N, 1, 1, features), after global average pooling.
struct InceptionV3 {
  LayerPtr tower;
  Index features = 0;
};
InceptionV3 inception_v3(double width, Stem stem);

}  // namespace twinage
