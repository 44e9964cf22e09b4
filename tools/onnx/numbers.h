// Layers on a face's numbers, as nodes of an ONNX graph: y of a layer of that kind, (N, C).
#pragma once
#include "layers/description.h"
#include "tools/onnx/graph.h"

namespace twinage::onnx_out {

// x: (N, C), or (N, C, 1, 1) of a tower.
Name linear(Graph& graph, const LayerDescription& layer, const Name& x);
Name shared_linear(Graph& graph, const LayerDescription& layer, const Name& x);

Name l2_normalize(Graph& graph, const LayerDescription& layer, const Name& x);
Name soft_stagewise(Graph& graph, const LayerDescription& layer, const Name& x);

}  // namespace twinage::onnx_out
