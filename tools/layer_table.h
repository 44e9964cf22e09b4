// The parts of a network as `twinage info --layers` shows them.
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "layers/description.h"

namespace twinage {

// A row a layer, as deep as it lies in blocks, and the totals. For a network planned for a batch;
// FLOPs are those of one face, memory is the batch's.
std::string layer_table(const LayerDescription& network);

// The whole tree: kind, name, options, x, y, parameters, flops and activation_bytes (of the batch)
// of every part, its own parts under "parts".
nlohmann::ordered_json layers_json(const LayerDescription& network);

}  // namespace twinage
