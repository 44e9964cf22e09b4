// A trained network as nodes of an ONNX graph.
#pragma once
#include <vector>

#include "layers/description.h"
#include "tools/onnx/graph.h"
#include "train/model/model_file.h"

namespace twinage::onnx_out {

// From pictures (N, side, side, 3) of bytes, `side` the preset's `load`, to all looks at them as
// the model reads faces: floats (looks * N, 3, input, input), look by look. Each look is a matrix
// on the rows and one on the columns: cut, zoomed (bilinear) and mirrored; then (byte - 127.5)
// / 64.
Name looks(Graph& graph, const Name& pictures, const TrainConfig& config, Index side, Index input,
           Index& count);

// y of a layer and all its parts, x of four extents (N, C, H, W), or two behind
// global_average_pool. Batch norm is folded into the filters. Throws UsageError for a kind that has
// no nodes here.
Name nodes_of(Graph& graph, const LayerDescription& layer, const Name& x);

}  // namespace twinage::onnx_out
