#include "tools/onnx/graph.h"

#include <bit>

#include <fmt/format.h>

#include "core/error.h"

namespace twinage::onnx_out {
namespace {

constexpr const char* kBatch = "N";

void set_shape(onnx::ValueInfoProto& value, const Name& name, onnx::TensorProto::DataType type,
               const Dims& dims) {
  value.set_name(name);
  auto* tensor = value.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  tensor->mutable_shape();
  for (const std::int64_t dim : dims) {
    auto* d = tensor->mutable_shape()->add_dim();
    if (dim < 0)
      d->set_dim_param(kBatch);
    else
      d->set_dim_value(dim);
  }
}

void set_attribute(onnx::AttributeProto& to, const Attribute& from) {
  to.set_name(from.name);
  if (const auto* whole = std::get_if<std::int64_t>(&from.value)) {
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(*whole);
  } else if (const auto* number = std::get_if<float>(&from.value)) {
    to.set_type(onnx::AttributeProto::FLOAT);
    to.set_f(*number);
  } else if (const auto* text = std::get_if<std::string>(&from.value)) {
    to.set_type(onnx::AttributeProto::STRING);
    to.set_s(*text);
  } else {
    to.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t i : std::get<Dims>(from.value)) to.add_ints(i);
  }
}

// Little-endian, as ONNX has it.
template <class T>
std::string raw(std::span<const T> values) {
  static_assert(std::endian::native == std::endian::little);
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

Name Graph::fresh(const std::string& what) {
  return fmt::format("{}{}_{}", prefix_, what, count_++);
}

Name Graph::add(const std::string& op, const std::vector<Name>& inputs,
                const std::vector<Attribute>& attributes, Name output) {
  if (output.empty()) output = fresh(op);
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(op);
  node.set_name(output);
  for (const Name& input : inputs) node.add_input(input);
  node.add_output(output);
  for (const Attribute& attribute : attributes) set_attribute(*node.add_attribute(), attribute);
  return output;
}

Name Graph::add_two(const std::string& op, const std::vector<Name>& inputs, Name& second,
                    const std::vector<Attribute>& attributes) {
  Name first = add(op, inputs, attributes);
  second = fresh(op);
  graph_.mutable_node(graph_.node_size() - 1)->add_output(second);
  return first;
}

std::vector<Name> Graph::scan(const std::vector<Name>& inputs, onnx::GraphProto body) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type("Scan");
  node.set_name(fresh("Scan"));
  for (const Name& input : inputs) node.add_input(input);
  std::vector<Name> outputs;
  for (int i = 0; i < body.output_size(); ++i) {
    outputs.push_back(fresh("Scan"));
    node.add_output(outputs.back());
  }
  set_attribute(*node.add_attribute(),
                {"num_scan_inputs", static_cast<std::int64_t>(inputs.size())});
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name("body");
  attribute.set_type(onnx::AttributeProto::GRAPH);
  *attribute.mutable_g() = std::move(body);
  return outputs;
}

onnx::TensorProto& Graph::constant(Name name, onnx::TensorProto::DataType type, const Dims& dims) {
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(std::move(name));
  tensor.set_data_type(type);
  for (const std::int64_t dim : dims) tensor.add_dims(dim);
  return tensor;
}

Name Graph::floats(std::span<const float> values, const Dims& dims, Name name) {
  if (name.empty()) name = fresh("c");
  constant(name, onnx::TensorProto::FLOAT, dims).set_raw_data(raw(values));
  return name;
}
Name Graph::doubles(std::span<const double> values, const Dims& dims) {
  Name name = fresh("c");
  constant(name, onnx::TensorProto::DOUBLE, dims).set_raw_data(raw(values));
  return name;
}
Name Graph::integers(std::span<const std::int64_t> values, const Dims& dims) {
  Name name = fresh("c");
  constant(name, onnx::TensorProto::INT64, dims).set_raw_data(raw(values));
  return name;
}

void Graph::input(const Name& name, onnx::TensorProto::DataType type, const Dims& dims) {
  set_shape(*graph_.add_input(), name, type, dims);
}
void Graph::output(const Name& name, onnx::TensorProto::DataType type, const Dims& dims) {
  set_shape(*graph_.add_output(), name, type, dims);
}

}  // namespace twinage::onnx_out
