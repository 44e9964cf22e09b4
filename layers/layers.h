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

// What a convolution and the batch norm beside it are called, and the norm's numbers.
struct NormedConv {
  std::string conv = "conv", norm = "bn";
  BatchNorm batch_norm{};
};

// Convolution without bias, batch norm (epsilon 0.001), ReLU: torchvision's BasicConv2d.
// Parameters conv.weight (K R S C), bn.weight, bn.bias, bn.running_mean, bn.running_var.
// In eval mode batch norm is folded into the filter and the whole layer is one convolution.
LayerPtr conv_bn_relu(Index in, Index out, KernelSize kernel, Conv2d conv,
                      const NormedConv& options = {});

// The same with tanh in place of ReLU (SSR-Net's second stream).
LayerPtr conv_bn_tanh(Index in, Index out, KernelSize kernel, Conv2d conv);

// The same with ReLU and a depthwise convolution; conv.weight (C R S 1).
LayerPtr depthwise(Index channels, KernelSize kernel, Conv2d conv);

// Batch norm and ReLU in front of a convolution without bias (He et al. 2016, "Identity Mappings in
// Deep Residual Networks": pre-activation). Parameters bn.weight, bn.bias, bn.running_mean,
// bn.running_var, conv.weight. What is between the two is not kept for backward but formed again.
LayerPtr bn_relu_conv(Index in, Index out, KernelSize kernel, Conv2d conv,
                      const NormedConv& options = {});

// Batch norm and ReLU alone; parameters NAME.weight, .bias, .running_mean, .running_var.
LayerPtr bn_relu(Index channels, const std::string& name = "bn", const BatchNorm& norm = {});

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

// Side by side, each on channels of x of its own: so many of them, in this order. Outputs are
// joined as concat's.
struct Share {
  Index channels;
  LayerPtr layer;
};
LayerPtr split(std::vector<Share> shares);

// y = a * b, element by element, where a is the first half of x's channels and b the second.
LayerPtr product_of_halves();

// A dense block (Huang et al. 2017, "Densely Connected Convolutional Networks", section 3): the
// first part reads x, every other all that was put out before it; y is all of it, side by side in
// this order. Parts write into y itself and read from there: nothing is copied.
LayerPtr dense(const std::string& name, std::vector<LayerPtr> parts);

// A layer whose parameters carry a prefix: named("Mixed_5b", ...).
LayerPtr named(const std::string& prefix, LayerPtr layer);

}  // namespace twinage
