// Convolutions with what stands before or behind them, as nodes of an ONNX graph: y of a layer of
// that kind, x and y (N, C, H, W).
#pragma once
#include "layers/description.h"
#include "tools/onnx/graph.h"

namespace twinage::onnx_out {

// The batch norm behind the convolution is folded into the filters.
Name conv_bn_relu(Graph& graph, const LayerDescription& layer, const Name& x);
Name conv_bn_tanh(Graph& graph, const LayerDescription& layer, const Name& x);
Name depthwise(Graph& graph, const LayerDescription& layer, const Name& x);

Name conv_relu(Graph& graph, const LayerDescription& layer, const Name& x);

// In front of a ReLU nothing can be folded: the norm is a node.
Name bn_relu(Graph& graph, const LayerDescription& layer, const Name& x);
Name bn_relu_conv(Graph& graph, const LayerDescription& layer, const Name& x);

}  // namespace twinage::onnx_out
