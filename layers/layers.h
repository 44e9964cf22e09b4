// The layers this model is made of. Each function returns a layer ready for plan(); weights are
// zero until initialised (layers/initialize.h) or loaded.
#pragma once
#include <vector>

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/pool/pool.h"
#include "layers/layer.h"

namespace twinage {

struct KernelSize {
  Index h = 1, w = 1;
};

// Convolution without bias, batch norm (epsilon 0.001), ReLU: torchvision's BasicConv2d.
// Parameters conv.weight (K R S C), bn.weight, bn.bias, bn.running_mean, bn.running_var.
// In eval mode batch norm is folded into the filter and the whole layer is one convolution.
LayerPtr conv_bn_relu(Index in, Index out, KernelSize kernel, Conv2d conv);

// Convolution with bias, ReLU; no norm. Parameters weight (K R S C) and bias (K).
// On x (N,1,1,C) with a kernel of one pixel it is a fully connected layer and its ReLU.
LayerPtr conv_relu(Index in, Index out, KernelSize kernel, Conv2d conv);

LayerPtr max_pool(Pool pool);
LayerPtr average_pool(Pool pool);
LayerPtr global_average_pool();

// y = x w^T + b; x (N,1,1,in), parameters weight (out,1,1,in) and bias (out).
LayerPtr linear(Index in, Index out);

// y[n, k] = w . x[n] + b[k]: all outputs share one weight vector and differ by their bias alone
// (CORAL: Cao, Mirjalili, Raschka 2020, "Rank consistent ordinal regression for neural networks").
// x (N,1,1,in), parameters weight (1,1,1,in) and bias (out).
LayerPtr shared_linear(Index in, Index out);

// x (N,1,1,kStageNumbers) -> (N,1,1,1), a number of about 0 to `range`: see
// kernels/soft_stagewise/soft_stagewise.h. No parameters.
LayerPtr soft_stagewise(double range);

// (N,H,W,C) -> (N,1,1,H*W*C): each picture's pixels one after the other, so that a weight for it
// is stored as (out, H, W, C). PyTorch flattens (C,H,W): its weights are permuted for ours.
LayerPtr flatten();

// In training every element is 0 with probability `rate`, else divided by 1 - rate; in inference
// y = x. The mask is a function of the step (begin_step) and the layer's name, so give each a name.
LayerPtr dropout(double rate);

// y = radius * x / ||x||; x (N,1,1,C). Of 0: 0.
LayerPtr l2_normalize(double radius);

// One after the other; owns the activations in between.
LayerPtr chain(std::vector<LayerPtr> layers);

// Side by side on the same x; every branch writes its slice of y's channels, backward sums dx.
LayerPtr concat(std::vector<LayerPtr> branches);

// A layer whose parameters carry a prefix: named("Mixed_5b", ...).
LayerPtr named(const std::string& prefix, LayerPtr layer);

}  // namespace twinage
