#include "tools/onnx/heads.h"

#include "core/error.h"
#include "siamese/losses/head_forms.h"

namespace twinage::onnx_out {
namespace {

Name softmax(Graph& graph, const Name& logits) {
  return graph.add("Softmax", {logits}, {{"axis", std::int64_t{1}}});
}

// P(age = a) = P(age > a - 1) - P(age > a), of those below 0 none, made 1 again; in double.
Name ranks(Graph& graph, const Name& logits) {
  const Name wide = graph.add("Cast", {logits}, {{"to", std::int64_t{onnx::TensorProto::DOUBLE}}});
  const Name older = graph.add("Sigmoid", {wide});
  const Name above = graph.add("Pad", {older, graph.list({0, 1, 0, 0}), graph.number(1)});
  const Name beyond = graph.add("Pad", {older, graph.list({0, 0, 0, 1}), graph.number(0)});
  const Name here = graph.add("Max", {graph.add("Sub", {above, beyond}), graph.number(0)});
  const Name total = graph.add("ReduceSum", {here, graph.list({1})});
  return graph.add("Cast", {graph.add("Div", {here, total})},
                   {{"to", std::int64_t{onnx::TensorProto::FLOAT}}});
}

Name decades(Graph& graph, const Name& number, float from) {
  const Name years = graph.add("Mul", {number, graph.floats(std::span(&kDecade, 1), {})});
  return graph.add("Add", {years, graph.floats(std::span(&from, 1), {})});
}

}  // namespace

Name said_by(Graph& graph, const HeadForm& form, const Name& outputs) {
  if (form.read == nullptr) return outputs;
  if (form.read == kAgeClasses.read) return softmax(graph, outputs);  // genders, too
  if (form.read == kAgeRanks.read) return ranks(graph, outputs);
  if (form.read == kAgeNumber.read) return decades(graph, outputs, kNumberFrom);
  if (form.read == kAgeStages.read) return decades(graph, outputs, kStagesFrom);
  fail("[export] a head's outputs are read in a way that has no row in tools/onnx/heads.cpp");
}

}  // namespace twinage::onnx_out
