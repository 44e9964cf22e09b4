// DenseNet-BC (Huang et al. 2017, "Densely Connected Convolutional Networks", table 1),
// torchvision's variant and its parameters' names, without the classifier. A layer reads all that
// its block has put out so far and adds `growth` channels to it: batch norm, ReLU, 1 x 1
// convolution to 4 * growth channels, batch norm, ReLU, 3 x 3 convolution. Between blocks a
// transition halves channels and map. DenseNet-121: 1024 features and 6,953,856 parameters at
// width 1.
//
// The order norm, ReLU, convolution is the paper's, and needed: each layer norms the same channels
// anew, with its own factors.
#pragma once
#include <array>

#include "layers/backbones/backbone.h"

namespace twinage {

struct DenseNet {
  Index growth = 32, initial = 64;                // channels a layer adds, channels of the stem
  std::array<Index, 4> layers = {6, 12, 24, 16};  // of each block
};

// Growth and stem are scaled; what follows from them is not rounded. Output: (N, 1, 1, features).
Stage densenet(const DenseNet& net, double width);

// The row of the table of towers: DenseNet-121.
Stage densenet121(const Preset& preset);

}  // namespace twinage
