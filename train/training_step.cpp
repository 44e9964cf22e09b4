#include "train/training_step.h"

#include <cstring>
#include <utility>

#include "core/error.h"

namespace twinage {

struct TrainingStep::Upload {
  explicit Upload(Shape images) : arriving(images, Device::cuda), pinned(arriving.bytes()) {}

  CudaStream stream;
  Tensor arriving;
  PinnedMemory pinned;
};

TrainingStep::TrainingStep(Engine& engine, TwinNetwork& network, Objective& objective,
                           AdadeltaOptimizer& optimizer, Index batch)
    : engine_(engine),
      network_(network),
      objective_(objective),
      optimizer_(optimizer),
      shape_{batch, network.preset().input, network.preset().input, 3} {
  const Device device = engine.context().device;
  if (device != Device::cpu) images_ = Tensor(shape_, device);
  if (device == Device::cuda) upload_ = std::make_unique<Upload>(shape_);
}

TrainingStep::~TrainingStep() = default;

void TrainingStep::send(const Tensor& images) {
  require(images.shape() == shape_, "[train] expected images {}, got {}", shape_, images.shape());
  host_images_ = &images;
  if (engine_.context().device == Device::simt) images_.copy_from(images);
  if (!upload_) return;
  upload_->stream.synchronize();  // the last copy out of the pinned memory
  std::memcpy(upload_->pinned.data(), images.data(), images.bytes());
  upload_->stream.copy(upload_->arriving.data(), upload_->pinned.data(), images.bytes());
}

void TrainingStep::begin(std::span<const float> ages, std::span<const std::int32_t> genders) {
  require(host_images_ != nullptr, "[train] expected images before a step: call send()");
  objective_.set_labels(ages, genders);
  if (!upload_) return compute(images_.empty() ? host_images_->view() : images_.view());
  CudaStream& stream = *engine_.stream();
  stream.wait_for(upload_->stream);
  stream.copy(images_.data(), upload_->arriving.data(), images_.bytes());
  upload_->stream.wait_for(stream);  // the next images may arrive from here on
  const auto work = [this] { compute(images_.view()); };
  if (warm_ && !graph_.recorded() && not_recorded_.empty())
    not_recorded_ = graph_.record(stream, work);
  if (graph_.recorded()) {
    graph_.launch(stream);
  } else {
    work();
  }
  warm_ = true;
}

void TrainingStep::compute(ConstView images) {
  const Context& ctx = engine_.context();
  network_.zero_gradients(ctx);
  objective_.compute(ctx, network_.forward(ctx, images, Mode::train));
  network_.backward(ctx, images, objective_.dz(), objective_.dgender());
}

ObjectiveValue TrainingStep::loss() {
  return objective_.value();
}

void TrainingStep::update(double factor) {
  optimizer_.step(engine_.context(), static_cast<float>(factor));
}

void TrainingStep::replanned() {
  graph_.forget();
  warm_ = false;
}

}  // namespace twinage
