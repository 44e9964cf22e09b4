// Initial weights.
#pragma once
#include <cstdint>
#include <vector>

#include "layers/layer.h"

namespace twinage {

// By the name's end: "conv.weight" ~ N(0, 2 / fan_in) (He et al. 2015) [ours]; "bn.weight" 1,
// "bn.bias" 0, "running_mean" 0, "running_var" 1; a linear layer's "weight" ~ U(+-1/sqrt(fan_in))
// and its "bias" 0. Every tensor has its own random stream, keyed by its name, so that adding a
// layer leaves the others' numbers alone. Throws Error on a name with no rule.
void initialize(const std::vector<Parameter*>& parameters, std::uint64_t seed);

}  // namespace twinage
