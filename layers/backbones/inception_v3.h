// The Inception-v3 tower (Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer
// Vision"), torchvision's variant without auxiliary and classifier heads: 21,785,568 parameters at
// width 1. Blocks A to E are the paper's figures 5, 10 (grid reduction), 6, 10, 7.
#pragma once
#include "layers/backbones/backbone.h"

namespace twinage {

enum class Stem {
  standard,  // the paper's
  compact,   // ours, for inputs under about 128 px: the first max-pool is left out
};

// Output: (N, 1, 1, features), after global average pooling.
Stage inception_v3(double width, Stem stem);

// The rows of the table of towers.
Stage inception_v3(const Preset& preset);          // Stem::standard
Stage inception_v3_compact(const Preset& preset);  // Stem::compact

// The blocks (`in` and `width`: see Path). Branches come in torchvision's order and under
// its names ("branch5x5_1...").
Stage inception_a(Index in, double width, Index pooled);        // figure 5
Stage inception_b(Index in, double width);                      // figure 10: halves 35 x 35
Stage inception_c(Index in, double width, Index channels_7x7);  // figure 6, n = 7
Stage inception_d(Index in, double width);                      // figure 10: halves 17 x 17
Stage inception_e(Index in, double width);                      // figure 7

}  // namespace twinage
