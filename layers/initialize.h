// Initial weights.
#pragma once
#include <cstdint>
#include <vector>

#include "layers/layer.h"

namespace twinage {

// "conv.weight" and the weights of conv_relu ~ N(0, 2 / fan_in) (He et al. 2015) [ours]; a linear
// layer's "weight" ~ U(+-1/sqrt(fan_in)); "bn.weight", "norm.weight" and "running_var" 1; "bias"
// and "running_mean" 0. conv, bn and norm may have a number ("conv2.weight"). But for
// Parameter::rectified, the name's end decides. (PyTorch, and with it
// torchvision's AlexNet, draws both weights and biases of convolutions and linear layers from
// U(+-1/sqrt(fan_in)), whose variance is a sixth of He's: through AlexNet's seven ReLUs without a
// norm the signal would shrink to a five hundredth.) Every tensor has its own random stream, keyed
// by its name, so that adding a layer leaves the others' numbers alone. Throws Error on a name with
// no rule.
void initialize(const std::vector<Parameter*>& parameters, std::uint64_t seed);

}  // namespace twinage
