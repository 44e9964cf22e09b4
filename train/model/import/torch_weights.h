// Weights as PyTorch has them: what begins there with ours.
#pragma once
#include <filesystem>

#include "siamese/twin_network.h"

namespace twinage {

// A .safetensors file of the network's parameters by torchvision's names and in its layout (filters
// K C R S, linear weights (out, in)), num_batches_tracked as well, so that load_state_dict takes
// the tower as it is. Its first layer expects pixels scaled to (byte / 255 - 0.5) / 0.5, as
// torchvision's Inception v3 and timm's do. Throws UsageError for another tower, Error where the
// file cannot be written.
void write_torch_weights(TwinNetwork& network, const std::filesystem::path& path);

}  // namespace twinage
