#include "tools/onnx/export.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "siamese/objective.h"
#include "tools/embedded.h"
#include "tools/onnx/heads.h"
#include "tools/onnx/looks.h"
#include "tools/onnx/network.h"
#include "tools/onnx/reading.h"

namespace twinage {
namespace {

using namespace onnx_out;
constexpr auto kFloat = onnx::TensorProto::FLOAT;

// Of all looks the mean: (looks * N, width) to (N, width).
Name mean_of_looks(Graph& g, const Name& x, Index looks, Index width, Name output = "") {
  const Name apart = g.add("Reshape", {x, g.list({looks, -1, width})});
  return g.add("ReduceMean", {apart}, {{"axes", Dims{0}}, {"keepdims", std::int64_t{0}}},
               std::move(output));
}

class ModelWriter {
 public:
  ModelWriter(Model& model, const OnnxOptions& options)
      : model_(model), options_(options), g_(*proto_.mutable_graph()) {}

  std::string build() {
    TwinNetwork& network = *model_.network;
    Context host;
    network.plan(host, 1, Mode::eval);
    const LayerDescription whole = network.describe();
    const Preset& preset = network.preset();
    g_.input("pictures", onnx::TensorProto::UINT8, {-1, preset.load, preset.load, 3});
    Index count = 0;
    const Name seen = looks(g_, "pictures", model_.config, preset.load, preset.input, count);
    const Name features = nodes_of(g_, whole.parts.at(0), seen);
    std::size_t head = 0;
    for (const Task task : kTasks) {
      if (!network.has(task)) continue;
      const Name outputs = nodes_of(g_, whole.parts.at(1).parts.at(head++), features);
      if (task == Task::gender && !model_.knows_gender()) continue;
      said_[task] = mean_of_looks(g_, said_by(g_, network.form(task), outputs), count,
                                  network.said(task), task == Task::embedding ? "embedding" : "");
      add_said(task);
    }
    if (options_.gallery) add_reading();
    return lines_;
  }

  std::string bytes() {
    proto_.set_ir_version(8);
    proto_.set_producer_name("twinage");
    proto_.set_producer_version(kCommit);
    proto_.mutable_graph()->set_name("twinage");
    auto* opset = proto_.add_opset_import();
    opset->set_domain("");
    opset->set_version(17);
    const Preset& preset = model_.network->preset();
    note("preset", preset.name);
    note("pictures", fmt::format("RGB bytes (N, {0}, {0}, 3): the middle square of a face's "
                                 "picture, brought to {0} x {0}",
                                 preset.load));
    note("outputs", lines_);
    std::string bytes;
    require(proto_.SerializeToString(&bytes),
            "[export] the model is larger than ONNX allows (2 GB)");
    return bytes;
  }

 private:
  void note(const std::string& key, const std::string& value) {
    auto* entry = proto_.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  void say(const std::string& name, const Dims& dims, const std::string& what) {
    g_.output(name, kFloat, dims);
    lines_ += fmt::format("{} (N{}): {}\n", name,
                          dims.size() > 1 ? fmt::format(", {}", dims[1]) : "", what);
  }
  void add_said(Task task) {
    const Index width = model_.network->said(task);
    if (task == Task::embedding) {
      say("embedding", {-1, width}, "what distances are taken between");
    } else if (task == Task::gender) {
      g_.add("Gather", {said_[task], g_.integer(1)}, {{"axis", std::int64_t{1}}}, "p_female");
      say("p_female", {-1}, "the probability that the face is female");
    } else if (model_.network->form(task).ages == AgeSaid::distribution) {
      g_.add("Identity", {said_[task]}, {}, "p_age");
      say("p_age", {-1, width}, "the probability of each age, 0 years in column 0");
    } else {
      g_.add("Gather", {said_[task], g_.integer(0)}, {{"axis", std::int64_t{1}}}, "age_number");
      say("age_number", {-1}, "years, as the age head says them");
    }
  }
  void add_reading() {
    const std::vector<Name> read = reading(g_, said_, model_, options_.readout);
    const std::pair<const char*, const char*> outputs[] = {
        {"age", "years"},
        {"age_low", "years: the interval's lower end"},
        {"age_high", "years: its upper end"}};
    const bool intervals = model_.calibration.claim().kind != IntervalClaim::Kind::none;
    for (std::size_t i = 0; i < (intervals ? 3 : 1); ++i) {
      g_.add("Identity", {read[i]}, {}, outputs[i].first);
      say(outputs[i].first, {-1}, outputs[i].second);
    }
  }

  Model& model_;
  const OnnxOptions& options_;
  onnx::ModelProto proto_;
  Graph g_;
  Said said_;  // means over the looks
  std::string lines_;
};

}  // namespace

std::string export_onnx(Model& model, const std::filesystem::path& path,
                        const OnnxOptions& options) {
  ModelWriter writer(model, options);
  std::string lines = writer.build();
  write_file_atomically(path, writer.bytes());
  return lines;
}

}  // namespace twinage
