// A trained network as nodes of an ONNX graph.
#pragma once
#include "layers/description.h"
#include "tools/onnx/graph.h"

namespace twinage::onnx_out {

// y of a layer and all its parts: maps are (N, C, H, W), and (N, C, 1, 1) what a tower makes of
// them; numbers behind a linear layer are (N, C). Throws Error for a kind that has no nodes here.
Name nodes_of(Graph& graph, const LayerDescription& layer, const Name& x);

}  // namespace twinage::onnx_out
