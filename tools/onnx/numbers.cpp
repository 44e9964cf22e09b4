#include "tools/onnx/numbers.h"

#include <numeric>

#include "tools/onnx/layer_values.h"

namespace twinage::onnx_out {
namespace {

Name scalar(Graph& graph, double value) {
  const auto number = static_cast<float>(value);
  return graph.floats(std::span(&number, 1), {});
}

Name rows_of(Graph& graph, const Name& x) {
  return graph.add("Flatten", {x}, {{"axis", std::int64_t{1}}});
}

// x w^T of a weight (out, in), plus a bias of one number for each output where one is named.
Name product(Graph& graph, const Name& x, const Parameter& w, const std::vector<Name>& bias) {
  std::vector<Name> inputs{
      rows_of(graph, x),
      graph.floats(values_of(w), {w.value.shape().n, w.value.shape().c}, w.name)};
  inputs.insert(inputs.end(), bias.begin(), bias.end());
  return graph.add("Gemm", inputs, {{"transB", std::int64_t{1}}});
}

}  // namespace

Name linear(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Parameter& b = *layer.parameters[1];
  return product(graph, x, *layer.parameters[0],
                 {graph.floats(values_of(b), {b.value.size()}, b.name)});
}

// One sum for all outputs, which the bias spreads.
Name shared_linear(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Parameter& b = *layer.parameters[1];
  return graph.add("Add", {product(graph, x, *layer.parameters[0], {}),
                           graph.floats(values_of(b), {b.value.size()}, b.name)});
}

// Of 0: 0, as ours; a length below this is none.
Name l2_normalize(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Name length =
      graph.add("ReduceL2", {x}, {{"axes", Dims{1}}, {"keepdims", std::int64_t{1}}});
  const Name safe = graph.add("Max", {length, scalar(graph, 1e-30)});
  return graph.add("Mul", {graph.add("Div", {x, safe}), scalar(graph, layer.option("radius"))});
}

// kernels/soft_stagewise/soft_stagewise.h, from the last stage to the first:
// y = range (m_1 + (m_2 + (m_3 + 0) / s_3) / s_2) / s_1, where s_k = bins (1 + D_k).
Name soft_stagewise(Graph& graph, const LayerDescription& layer, const Name& x) {
  const std::int64_t stages = whole(layer, "stages"), bins = whole(layer, "bins");
  const Name all = graph.add("Reshape", {x, graph.list({-1, stages, 2 * bins + 1})});
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    return graph.add("Slice", {all, graph.list({begin}), graph.list({end}), graph.list({2})});
  };
  const Name p = graph.add("Softmax", {part(0, bins)}, {{"axis", std::int64_t{2}}});
  const Name h = graph.add("Tanh", {part(bins, 2 * bins)});
  std::vector<float> places(static_cast<std::size_t>(bins));
  std::iota(places.begin(), places.end(), 0.0F);
  const Name shifted = graph.add("Add", {h, graph.floats(places, {bins})});
  const Name mean = graph.add("ReduceSum", {graph.add("Mul", {p, shifted}), graph.list({2})},
                              {{"keepdims", std::int64_t{0}}});  // m, (N, stages)
  const Name half = graph.add("Mul", {graph.add("Tanh", {part(2 * bins, 2 * bins + 1)}),
                                      scalar(graph, 0.5)});  // D, (N, stages, 1)
  const Name step = graph.add("Mul", {graph.add("Add", {half, scalar(graph, 1)}),
                                      scalar(graph, static_cast<double>(bins))});
  const Name width = graph.add("Flatten", {step}, {{"axis", std::int64_t{1}}});  // s
  const auto of_stage = [&](const Name& numbers, std::int64_t k) {
    return graph.add("Gather", {numbers, graph.list({k})}, {{"axis", std::int64_t{1}}});
  };
  Name y = scalar(graph, 0);
  for (std::int64_t k = stages; k-- > 0;)
    y = graph.add("Div", {graph.add("Add", {of_stage(mean, k), y}), of_stage(width, k)});
  return graph.add("Mul", {y, scalar(graph, layer.option("range"))});
}

}  // namespace twinage::onnx_out
