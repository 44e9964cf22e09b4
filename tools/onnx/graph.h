// Builds the graph of an ONNX model (opset 17), node by node, on the classes that protoc makes of
// ONNX's own definition: values are known by their names, and every function returns the name of
// what it adds.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <onnx/onnx_pb.h>

namespace twinage::onnx_out {

using Dims = std::vector<std::int64_t>;
using Name = std::string;

struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, Dims, std::string> value;
};

// Nodes of a graph or of a body of it (Scan), which sees the values around it.
class Graph {
 public:
  explicit Graph(onnx::GraphProto& graph, std::string prefix = "")
      : graph_(graph), prefix_(std::move(prefix)) {}

  Name add(const std::string& op, const std::vector<Name>& inputs,
           const std::vector<Attribute>& attributes = {}, Name output = "");
  // A node with two outputs: the name of the second goes into `second`.
  Name add_two(const std::string& op, const std::vector<Name>& inputs, Name& second,
               const std::vector<Attribute>& attributes);
  // A node that has a body, and as many outputs as that.
  std::vector<Name> scan(const std::vector<Name>& inputs, onnx::GraphProto body);

  Name floats(std::span<const float> values, const Dims& dims, Name name = "");
  Name doubles(std::span<const double> values, const Dims& dims);
  Name integers(std::span<const std::int64_t> values, const Dims& dims);
  Name number(double value) { return doubles(std::span(&value, 1), {}); }
  Name integer(std::int64_t value) { return integers(std::span(&value, 1), {}); }
  Name list(const Dims& values) {
    return integers(values, {static_cast<std::int64_t>(values.size())});
  }

  // Negative extents have the name of what they count: any number.
  void input(const Name& name, onnx::TensorProto::DataType type, const Dims& dims);
  void output(const Name& name, onnx::TensorProto::DataType type, const Dims& dims);

 private:
  Name fresh(const std::string& what);
  onnx::TensorProto& constant(Name name, onnx::TensorProto::DataType type, const Dims& dims);

  onnx::GraphProto& graph_;
  std::string prefix_;
  int count_ = 0;
};

}  // namespace twinage::onnx_out
