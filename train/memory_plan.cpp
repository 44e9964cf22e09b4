#include "train/memory_plan.h"

#include "train/model/face_input.h"

namespace twinage {
namespace {

Index bytes_of(const Tensor& tensor) {
  return static_cast<Index>(tensor.bytes());
}

}  // namespace

MemoryPlan plan_memory(const Engine& engine, TwinNetwork& network, Index batch) {
  const Index workspace = engine.plan_network(network, batch, Mode::train);
  const Preset& preset = network.preset();
  const Device device = engine.context().device;
  ParameterArena& arena = network.place_on(device);
  MemoryPlan plan;
  plan.parameters = bytes_of(arena.values());
  plan.gradients = bytes_of(arena.gradients());
  plan.running_statistics = bytes_of(arena.statistics());
  plan.optimizer = 2 * plan.parameters;
  plan.images = FaceInput::device_bytes(device, batch, preset.load, preset.input);
  plan.outputs = network.output_bytes();
  plan.kept = network.kept() * static_cast<Index>(sizeof(float));
  plan.shared = workspace * static_cast<Index>(sizeof(float)) - plan.kept;
  return plan;
}

}  // namespace twinage
