#include "train/training_step.h"

namespace twinage {

TrainingStep::TrainingStep(Engine& engine, TwinNetwork& network, Objective& objective,
                           AdadeltaOptimizer& optimizer, Index batch, std::uint64_t seed)
    : engine_(engine),
      network_(network),
      objective_(objective),
      optimizer_(optimizer),
      batch_(batch),
      seed_(seed),
      input_(engine, batch, network.preset().load, network.preset().input) {}

void TrainingStep::plan() {
  engine_.plan(network_, batch_, Mode::train, objective_.workspace(engine_.context()));
  // Recorded work would write where the network's memory was.
  graph_.forget();
  warm_ = false;
}

void TrainingStep::send(const Batch& batch) {
  input_.send(batch.pixels, batch.variations);
}

void TrainingStep::begin(const Batch& batch) {
  network_.begin_step(seed_, batch.step);
  objective_.set_labels({batch.ages, batch.genders});
  input_.receive();
  if (engine_.context().device != Device::cuda) return compute();
  const CudaStream& stream = *engine_.stream();
  if (warm_ && !graph_.recorded() && not_recorded_.empty())
    not_recorded_ = graph_.record(stream, [this] { compute(); });
  if (graph_.recorded()) {
    graph_.launch(stream);
  } else {
    compute();
  }
  warm_ = true;
}

void TrainingStep::compute() {
  const Context& ctx = engine_.context();
  network_.zero_gradients(ctx);
  input_.normalize();
  objective_.compute(ctx, network_.forward(ctx, input_.images(), Mode::train));
  network_.backward(ctx, input_.images(), objective_.gradients());
}

ObjectiveValue TrainingStep::loss() {
  return objective_.value();
}

void TrainingStep::update(double factor) {
  optimizer_.step(engine_.context(), static_cast<float>(factor));
}

}  // namespace twinage
