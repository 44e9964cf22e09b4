#include "train/training_step.h"

#include <utility>

#include "kernels/elementwise/elementwise.h"

namespace twinage {
namespace {

// By the device's own kernels, in the order of the engine's other work.
FloatOperations operations_of(const Engine& engine) {
  return {[&engine](float* to, const float* from, Index count) {
            if (count > 0)
              copy(engine.context(), View(to, vector(count)), ConstView(from, vector(count)));
          },
          [&engine](float* sum, const float* more, Index count) {
            add(engine.context(), View(sum, vector(count)), ConstView(more, vector(count)));
          }};
}

}  // namespace

TrainingStep::TrainingStep(Engine& engine, TwinNetwork& network, Objective& objective,
                           AdadeltaOptimizer& optimizer, Shards shards, std::uint64_t seed)
    : engine_(engine),
      network_(network),
      objective_(objective),
      optimizer_(optimizer),
      shards_(std::move(shards)),
      seed_(seed),
      input_(engine, shards_.images(), network.preset().load, network.preset().input),
      exchange_(shards_, network.place_on(engine.context().device)) {
  if (shards_.ranks() == nullptr) return;
  shards_.when_whole([this](const float* sum, Index count) { exchange_.whole(sum, count); });
  const Device device = engine.context().device;
  if (device != Device::cpu) shards_.compute_by(operations_of(engine));
  for (const Task task : kTasks)
    if (network.has(task))
      outputs_[task] = Tensor(matrix(shards_.batch(), network.width(task)), device);
}

Context TrainingStep::context() const {
  Context ctx = engine_.context();
  ctx.shards = &shards_;
  return ctx;
}

void TrainingStep::share_out_optimizer() {
  if (shards_.ranks() == nullptr) return;
  exchange_.share_out();
  optimizer_.keep_only(exchange_.parts());
}

void TrainingStep::collect_optimizer() {
  if (!exchange_.shared_out()) return;
  optimizer_.collect(shards_.ranks()->rank() == 0,
                     [this](float* whole, const float* mine) { exchange_.collect(whole, mine); });
}

void TrainingStep::plan() {
  engine_.plan(network_, shards_.images(), Mode::train, objective_.workspace(engine_.context()),
               &shards_);
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
  const Context ctx = context();
  exchange_.begin_step();
  network_.zero_gradients(ctx);
  input_.normalize();
  const TwinNetwork::Outputs outputs = network_.forward(ctx, input_.images(), Mode::train);
  objective_.compute(ctx, of_whole_batch(outputs));
  network_.backward(ctx, input_.images(), of_mine(objective_.gradients()));
  exchange_.finish();
}

ByTask<ConstView> TrainingStep::of_whole_batch(const ByTask<ConstView>& mine) {
  if (shards_.ranks() == nullptr) return mine;
  ByTask<ConstView> whole;
  for (const Task task : kTasks) {
    if (mine[task].data == nullptr) continue;
    Tensor& all = outputs_[task];
    copy(engine_.context(), all.view().images(shards_.first_image(), shards_.images()), mine[task]);
    shards_.gather_of_images(all.data(), all.shape().c);
    whole[task] = all.view();
  }
  return whole;
}

ByTask<ConstView> TrainingStep::of_mine(const ByTask<ConstView>& whole) const {
  if (shards_.ranks() == nullptr) return whole;
  ByTask<ConstView> mine;
  for (const Task task : kTasks)
    if (whole[task].data != nullptr)
      mine[task] = whole[task].images(shards_.first_image(), shards_.images());
  return mine;
}

ObjectiveValue TrainingStep::loss() {
  return objective_.value();
}

void TrainingStep::update(double factor) {
  optimizer_.step(engine_.context(), static_cast<float>(factor));
  if (exchange_.shared_out()) exchange_.gather_values();
}

}  // namespace twinage
