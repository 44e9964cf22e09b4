// MobileNet v1 (Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile
// Vision Applications", table 1), without the classifier: 13 pairs of a depthwise 3 x 3 and a
// pointwise 1 x 1 convolution behind a full one, 1024 features and 3,206,976 parameters at width 1.
//
// Batch norm and ReLU follow every convolution, as in the paper (its code bounds ReLU at 6). The
// last depthwise layer has stride 1: table 1 says 2, which its own sizes contradict. Where a stride
// of 2 wants padding, there is one pixel all around, as in PyTorch's ports; TensorFlow pads at the
// far edges only. `width` is the paper's width multiplier, the input its resolution multiplier.
//
// Names are those of the authors' TensorFlow code (Conv2d_0, Conv2d_1_depthwise,
// Conv2d_1_pointwise, ...), within a layer torchvision's (conv.weight, bn.weight).
#pragma once
#include "layers/backbones/backbone.h"

namespace twinage {

Stage mobilenet(double width);

// The row of the table of towers.
Stage mobilenet(const Preset& preset);

}  // namespace twinage
