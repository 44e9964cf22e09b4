#include "tools/onnx/network.h"

#include <string_view>

#include "core/error.h"
#include "tools/onnx/convolutions.h"
#include "tools/onnx/layer_values.h"
#include "tools/onnx/numbers.h"

namespace twinage::onnx_out {
namespace {

Name joined(Graph& graph, const std::vector<Name>& parts) {
  return graph.add("Concat", parts, {{"axis", std::int64_t{1}}});
}

Name chain(Graph& graph, const LayerDescription& layer, const Name& x) {
  Name y = x;
  for (const LayerDescription& part : layer.parts) y = nodes_of(graph, part, y);
  return y;
}

Name concat(Graph& graph, const LayerDescription& layer, const Name& x) {
  std::vector<Name> parts;
  for (const LayerDescription& part : layer.parts) parts.push_back(nodes_of(graph, part, x));
  return joined(graph, parts);
}

Name dense(Graph& graph, const LayerDescription& layer, const Name& x) {
  Name all = nodes_of(graph, layer.parts.at(0), x);
  for (std::size_t i = 1; i < layer.parts.size(); ++i)
    all = joined(graph, {all, nodes_of(graph, layer.parts[i], all)});
  return all;
}

Name split(Graph& graph, const LayerDescription& layer, const Name& x) {
  std::vector<Name> parts;
  Index begin = 0;
  for (const LayerDescription& part : layer.parts) {
    const Index end = begin + part.x.c;
    const Name own =
        graph.add("Slice", {x, graph.list({begin}), graph.list({end}), graph.list({1})});
    parts.push_back(nodes_of(graph, part, own));
    begin = end;
  }
  return joined(graph, parts);
}

Name max_pool(Graph& graph, const LayerDescription& layer, const Name& x) {
  return graph.add("MaxPool", {x}, window(layer));
}

Name average_pool(Graph& graph, const LayerDescription& layer, const Name& x) {
  std::vector<Attribute> attributes = window(layer);
  attributes.push_back({"count_include_pad", std::int64_t{1}});
  return graph.add("AveragePool", {x}, attributes);
}

Name global_average_pool(Graph& graph, const LayerDescription&, const Name& x) {
  return graph.add("GlobalAveragePool", {x});
}

// Pixel by pixel, as our weights behind it are stored.
Name flatten(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Name pixels = graph.add("Transpose", {x}, {{"perm", Dims{0, 2, 3, 1}}});
  return graph.add("Reshape", {pixels, graph.list({-1, layer.y.c, 1, 1})});
}

Name product_of_halves(Graph& graph, const LayerDescription&, const Name& x) {
  Name second;
  const Name first = graph.add_two("Split", {x}, second, {{"axis", std::int64_t{1}}});
  return graph.add("Mul", {first, second});
}

Name dropout(Graph&, const LayerDescription&, const Name& x) {
  return x;  // in inference
}

struct Kind {
  std::string_view name;
  Name (*nodes)(Graph&, const LayerDescription&, const Name& x);
};
constexpr Kind kKinds[] = {
    {"chain", chain},
    {"concat", concat},
    {"dense", dense},
    {"split", split},
    {"conv_bn_relu", conv_bn_relu},
    {"conv_bn_tanh", conv_bn_tanh},
    {"depthwise", depthwise},
    {"conv_relu", conv_relu},
    {"bn_relu", bn_relu},
    {"bn_relu_conv", bn_relu_conv},
    {"max_pool", max_pool},
    {"average_pool", average_pool},
    {"global_average_pool", global_average_pool},
    {"flatten", flatten},
    {"product_of_halves", product_of_halves},
    {"dropout", dropout},
    {"linear", linear},
    {"shared_linear", shared_linear},
    {"l2_normalize", l2_normalize},
    {"soft_stagewise", soft_stagewise},
};

}  // namespace

Name nodes_of(Graph& graph, const LayerDescription& layer, const Name& x) {
  for (const Kind& kind : kKinds)
    if (kind.name == layer.kind) return kind.nodes(graph, layer, x);
  fail("[export] layer {} is of kind '{}', which has no row in tools/onnx/network.cpp", layer.name,
       layer.kind);
}

}  // namespace twinage::onnx_out
