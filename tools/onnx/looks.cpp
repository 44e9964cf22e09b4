#include "tools/onnx/looks.h"

#include <algorithm>
#include <cmath>

#include "kernels/normalize_images/normalize_images.h"
#include "train/model/embedder.h"

namespace twinage::onnx_out {
namespace {

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

}  // namespace twinage::onnx_out
