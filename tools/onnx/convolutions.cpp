#include "tools/onnx/convolutions.h"

#include <cmath>

#include "tools/onnx/layer_values.h"

namespace twinage::onnx_out {
namespace {

// K R S C to K C R S, each filter times its factor.
std::vector<float> filters(const Parameter& w, const std::vector<double>& factor) {
  const Shape s = w.value.shape();
  const std::vector<float> ours = values_of(w);
  std::vector<float> turned;
  turned.reserve(ours.size());
  for (Index k = 0; k < s.n; ++k)
    for (Index c = 0; c < s.c; ++c)
      for (Index p = 0; p < s.h * s.w; ++p)
        turned.push_back(static_cast<float>(
            factor[static_cast<std::size_t>(k)] *
            static_cast<double>(ours[static_cast<std::size_t>((k * s.h * s.w + p) * s.c + c)])));
  return turned;
}

// w: K R S C; a filter that reads fewer channels than x has reads those of its group.
Name convolution(Graph& graph, const LayerDescription& layer, const Name& x, const Parameter& w,
                 const std::vector<double>& factor, const std::vector<float>& bias) {
  const Shape s = w.value.shape();
  std::vector<Name> inputs{x, graph.floats(filters(w, factor), {s.n, s.c, s.h, s.w}, w.name)};
  if (!bias.empty()) inputs.push_back(graph.floats(bias, {s.n}, w.name + ".bias"));
  std::vector<Attribute> attributes = window(layer);
  attributes.push_back({"group", std::int64_t{layer.x.c / s.c}});
  return graph.add("Conv", inputs, attributes);
}

std::vector<double> ones(const Parameter& w) {
  return std::vector<double>(static_cast<std::size_t>(w.value.shape().n), 1.0);
}

// gamma (conv - mean) / sqrt(variance + epsilon) + beta
Name conv_bn(Graph& graph, const LayerDescription& layer, const Name& x) {
  const std::vector<float> gamma = values_of(*layer.parameters[1]),
                           beta = values_of(*layer.parameters[2]),
                           mean = values_of(*layer.parameters[3]),
                           variance = values_of(*layer.parameters[4]);
  std::vector<double> factor;
  std::vector<float> bias;
  for (std::size_t k = 0; k < gamma.size(); ++k) {
    factor.push_back(static_cast<double>(gamma[k]) /
                     std::sqrt(static_cast<double>(variance[k]) + layer.option("epsilon")));
    bias.push_back(static_cast<float>(static_cast<double>(beta[k]) -
                                      factor.back() * static_cast<double>(mean[k])));
  }
  return convolution(graph, layer, x, *layer.parameters[0], factor, bias);
}

}  // namespace

Name conv_bn_relu(Graph& graph, const LayerDescription& layer, const Name& x) {
  return graph.add("Relu", {conv_bn(graph, layer, x)});
}
Name conv_bn_tanh(Graph& graph, const LayerDescription& layer, const Name& x) {
  return graph.add("Tanh", {conv_bn(graph, layer, x)});
}
Name depthwise(Graph& graph, const LayerDescription& layer, const Name& x) {
  return conv_bn_relu(graph, layer, x);
}

Name conv_relu(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Parameter& w = *layer.parameters[0];
  return graph.add("Relu",
                   {convolution(graph, layer, x, w, ones(w), values_of(*layer.parameters[1]))});
}

Name bn_relu(Graph& graph, const LayerDescription& layer, const Name& x) {
  std::vector<Name> inputs{x};
  for (std::size_t i = 0; i < 4; ++i) {  // gamma, beta, mean, variance: in ONNX's order
    const Parameter& p = *layer.parameters[i];
    inputs.push_back(graph.floats(values_of(p), {p.value.size()}, p.name));
  }
  return graph.add("Relu", {graph.add("BatchNormalization", inputs,
                                      {{"epsilon", static_cast<float>(layer.option("epsilon"))}})});
}

Name bn_relu_conv(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Parameter& w = *layer.parameters[4];
  return convolution(graph, layer, bn_relu(graph, layer, x), w, ones(w), {});
}

}  // namespace twinage::onnx_out
