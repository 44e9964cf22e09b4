// From the bytes of pictures to what the network is given, as nodes of an ONNX graph.
#pragma once
#include "tools/onnx/graph.h"
#include "train/settings/config.h"

namespace twinage::onnx_out {

// From pictures (N, side, side, 3) of bytes, `side` the preset's `load`, to all looks at them as
// the model reads faces: floats (looks * N, 3, input, input), look by look. Each look is a matrix
// on the rows and one on the columns: cut, zoomed (bilinear) and mirrored; then (byte - 127.5)
// / 64.
Name looks(Graph& graph, const Name& pictures, const TrainConfig& config, Index side, Index input,
           Index& count);

}  // namespace twinage::onnx_out
