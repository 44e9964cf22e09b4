#include "tools/onnx/network.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "kernels/normalize_images/normalize_images.h"
#include "train/model/embedder.h"

namespace twinage::onnx_out {
namespace {

std::int64_t whole(const LayerDescription& layer, const char* option) {
  return static_cast<std::int64_t>(layer.option(option));
}

std::vector<float> values_of(const Parameter& p) {
  std::vector<float> values(static_cast<std::size_t>(p.value.size()));
  p.value.copy_to(values.data(), p.value.size());
  return values;
}

std::vector<Attribute> window(const LayerDescription& layer) {
  const std::int64_t h = whole(layer, "pad_h"), w = whole(layer, "pad_w"),
                     stride = whole(layer, "stride");
  return {{"kernel_shape", Dims{whole(layer, "kernel_h"), whole(layer, "kernel_w")}},
          {"strides", Dims{stride, stride}},
          {"pads", Dims{h, w, h, w}}};
}

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

Name convolution(Graph& graph, const LayerDescription& layer, const Name& x, const Parameter& w,
                 const std::vector<double>& factor, const std::vector<float>& bias) {
  const Shape s = w.value.shape();
  const Name weight = graph.floats(filters(w, factor), {s.n, s.c, s.h, s.w}, w.name);
  const Name shift = graph.floats(bias, {s.n}, w.name + ".bias");
  return graph.add("Relu", {graph.add("Conv", {x, weight, shift}, window(layer))});
}

// gamma (conv - mean) / sqrt(variance + epsilon) + beta
Name conv_bn_relu(Graph& graph, const LayerDescription& layer, const Name& x) {
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

Name conv_relu(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Parameter& w = *layer.parameters[0];
  return convolution(graph, layer, x, w,
                     std::vector<double>(static_cast<std::size_t>(w.value.shape().n), 1.0),
                     values_of(*layer.parameters[1]));
}

Name linear(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Parameter &w = *layer.parameters[0], &b = *layer.parameters[1];
  const Name weight = graph.floats(values_of(w), {w.value.shape().n, w.value.shape().c}, w.name);
  const Name bias = graph.floats(values_of(b), {b.value.size()}, b.name);
  return graph.add("Gemm", {x, weight, bias}, {{"transB", std::int64_t{1}}});
}

// Of 0: 0, as ours; a length below this is none.
Name l2_normalize(Graph& graph, const LayerDescription& layer, const Name& x) {
  const Name length =
      graph.add("ReduceL2", {x}, {{"axes", Dims{1}}, {"keepdims", std::int64_t{1}}});
  const float least = 1e-30F, radius = static_cast<float>(layer.option("radius"));
  const Name safe = graph.add("Max", {length, graph.floats(std::span(&least, 1), {})});
  return graph.add("Mul", {graph.add("Div", {x, safe}), graph.floats(std::span(&radius, 1), {})});
}

// Row i has the shares of the source's pixels in pixel i of the look.
std::vector<float> rows_of_look(Index side, Index size, double zoom, bool mirrored) {
  std::vector<float> matrix(static_cast<std::size_t>(size * side), 0.0F);
  const auto at = [&](Index row, Index pixel) -> float& {
    const Index to = mirrored ? size - 1 - row : row;
    return matrix[static_cast<std::size_t>(to * side + std::clamp<Index>(pixel, 0, side - 1))];
  };
  for (Index i = 0; i < size; ++i) {
    if (zoom == 1) {
      at(i, (side - size) / 2 + i) += 1;
      continue;
    }
    const double place = static_cast<double>(side) / 2 +
                         zoom * (static_cast<double>(i) + 0.5 - static_cast<double>(size) / 2) -
                         0.5;
    const double below = std::floor(place);
    at(i, static_cast<Index>(below)) += static_cast<float>(1 - (place - below));
    at(i, static_cast<Index>(below) + 1) += static_cast<float>(place - below);
  }
  return matrix;
}

}  // namespace

Name looks(Graph& graph, const Name& pictures, const TrainConfig& config, Index side, Index input,
           Index& count) {
  const Name bytes =
      graph.add("Cast", {pictures}, {{"to", std::int64_t{onnx::TensorProto::FLOAT}}});
  const Name planes = graph.add("Transpose", {bytes}, {{"perm", Dims{0, 3, 1, 2}}});
  std::vector<Name> all;
  for (const float zoom : kZooms) {
    if (!config.zooms && zoom != 1) continue;
    const Name rows =
        graph.floats(rows_of_look(side, input, static_cast<double>(zoom), false), {input, side});
    const Name cut = graph.add("MatMul", {rows, planes});  // on the rows: (N, 3, input, side)
    for (const bool mirrored : {false, true}) {
      if (mirrored && !config.mirror) continue;
      const std::vector<float> of_columns =
          rows_of_look(side, input, static_cast<double>(zoom), mirrored);
      const Name columns =
          graph.add("Transpose", {graph.floats(of_columns, {input, side})}, {{"perm", Dims{1, 0}}});
      all.push_back(graph.add("MatMul", {cut, columns}));
    }
  }
  count = static_cast<Index>(all.size());
  const Name joined = graph.add("Concat", all, {{"axis", std::int64_t{0}}});
  const float mean = kPixelMean, scale = kPixelScale;
  return graph.add("Mul", {graph.add("Sub", {joined, graph.floats(std::span(&mean, 1), {})}),
                           graph.floats(std::span(&scale, 1), {})});
}

Name nodes_of(Graph& graph, const LayerDescription& layer, const Name& x) {
  if (layer.kind == "chain") {
    Name y = x;
    for (const LayerDescription& part : layer.parts) y = nodes_of(graph, part, y);
    return y;
  }
  if (layer.kind == "concat") {
    std::vector<Name> parts;
    for (const LayerDescription& part : layer.parts) parts.push_back(nodes_of(graph, part, x));
    return graph.add("Concat", parts, {{"axis", std::int64_t{1}}});
  }
  if (layer.kind == "conv_bn_relu") return conv_bn_relu(graph, layer, x);
  if (layer.kind == "conv_relu") return conv_relu(graph, layer, x);
  if (layer.kind == "linear") return linear(graph, layer, x);
  if (layer.kind == "l2_normalize") return l2_normalize(graph, layer, x);
  if (layer.kind == "dropout") return x;  // in inference
  if (layer.kind == "max_pool") return graph.add("MaxPool", {x}, window(layer));
  if (layer.kind == "average_pool") {
    std::vector<Attribute> attributes = window(layer);
    attributes.push_back({"count_include_pad", std::int64_t{1}});
    return graph.add("AveragePool", {x}, attributes);
  }
  if (layer.kind == "global_average_pool")
    return graph.add("Flatten", {graph.add("GlobalAveragePool", {x})}, {{"axis", std::int64_t{1}}});
  throw UsageError(fmt::format(
      "[export] this network has a layer '{}', which is not written as ONNX yet: Inception's are",
      layer.kind));
}

}  // namespace twinage::onnx_out
