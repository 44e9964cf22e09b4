// What the nodes of a layer are made with: its options and the values of its parameters.
#pragma once
#include <vector>

#include "layers/description.h"
#include "tools/onnx/graph.h"

namespace twinage::onnx_out {

inline std::int64_t whole(const LayerDescription& layer, const char* option) {
  return static_cast<std::int64_t>(layer.option(option));
}

inline std::vector<float> values_of(const Parameter& p) {
  std::vector<float> values(static_cast<std::size_t>(p.value.size()));
  p.value.copy_to(values.data(), p.value.size());
  return values;
}

// Of a convolution or a pool.
inline std::vector<Attribute> window(const LayerDescription& layer) {
  const std::int64_t h = whole(layer, "pad_h"), w = whole(layer, "pad_w"),
                     stride = whole(layer, "stride");
  return {{"kernel_shape", Dims{whole(layer, "kernel_h"), whole(layer, "kernel_w")}},
          {"strides", Dims{stride, stride}},
          {"pads", Dims{h, w, h, w}}};
}

}  // namespace twinage::onnx_out
