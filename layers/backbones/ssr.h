// The two streams of SSR-Net (Yang, Huang, Lin, Hsiu, Chuang 2018, "SSR-Net: A Compact Soft
// Stagewise Regression Network for Age Estimation", section 3.4 and figure 3): four blocks of a 3 x
// 3 convolution and batch norm each, one stream with ReLU and average pooling, the other with tanh
// and max pooling. At three depths (behind blocks 1, 2 and 4) both pass a 1 x 1 convolution to 10
// channels, pooling and flattening, and are multiplied element by element.
//
// The tower's features are the three products, side by side: 90 + 90 + 160 at 64 pixels and any
// width. What the paper makes of them, a stage of its regression each, is a head's work (siamese/),
// and so are its dropout and fully connected layers. Convolutions are not padded and poolings
// round down, as in the authors' code; names are ours, which has none.
#pragma once
#include "layers/backbones/backbone.h"

namespace twinage {

// For pictures of input x input pixels, 38 at least.
Stage ssr(Index input, double width);

// The row of the table of towers.
Stage ssr(const Preset& preset);

}  // namespace twinage
