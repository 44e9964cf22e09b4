// AlexNet (Krizhevsky, Sutskever, Hinton 2012, "ImageNet Classification with Deep Convolutional
// Neural Networks"), torchvision's single-column variant (Krizhevsky 2014, "One weird trick for
// parallelizing convolutional neural networks") and its parameters' names, without the classifier's
// last layer: the tower ends in 4096 features behind a ReLU, with 57,003,840 parameters at width 1.
//
// Local response normalisation, which the first paper has behind two layers, is left out, as in
// torchvision. `batch` norms the five convolutions instead of giving them a bias [ours].
#pragma once
#include "layers/backbones/backbone.h"

namespace twinage {

// For pictures of input x input pixels. torchvision averages the last map to 6 x 6; here the map is
// taken as it is, which is the same at 224 pixels (to be exact, from 223 to 254).
// Fully connected weights are stored as (out, H, W, C), see flatten(): torchvision's, of shape
// (out, C * H * W), are permuted for ours.
Stage alexnet(Index input, double width, Norm norm);

// The rows of the table of towers.
Stage alexnet(const Preset& preset);     // Norm::none
Stage alexnet_bn(const Preset& preset);  // Norm::batch

}  // namespace twinage
