#include "siamese/objective.h"

#include <algorithm>

#include "core/error.h"

namespace twinage {

ByTask<HeadForm> head_forms(const ObjectiveOptions& options, Index embedding_width) {
  ByTask<HeadForm> forms;
  for (const Task task : options.heads)
    forms[task] = head_form(task, options.head[task].loss, embedding_width);
  return forms;
}

Objective::Objective(const ObjectiveOptions& options, Index batch, Index embedding_width,
                     Device device)
    : options_(options), batch_(batch) {
  for (const Task task : options.heads) {
    const auto& [name, weight] = options.head[task];
    require(weight >= 0, "[objective] expected a weight >= 0 of {}, got {}", to_string(task),
            weight);
    const Index width = head_form(task, name, embedding_width).outputs;
    heads_[task] = {make_loss(task, name, {batch, width, weight, device, options.loss}),
                    Tensor(matrix(batch, width), device)};
  }
}

Index Objective::workspace(const Context& ctx) const {
  Index most = 0;
  for (const Task task : options_.heads) most = std::max(most, heads_[task].loss->workspace(ctx));
  return most;
}

void Objective::set_labels(const Labels& labels) {
  const auto count = static_cast<std::size_t>(batch_);
  require(labels.ages.size() == count && labels.genders.size() == count,
          "[objective] expected {} ages and genders, got {} and {}", batch_, labels.ages.size(),
          labels.genders.size());
  for (const Task task : options_.heads) heads_[task].loss->set_labels(labels);
}

void Objective::compute(const Context& ctx, const ByTask<ConstView>& outputs) {
  for (const Task task : options_.heads) {
    const View gradient = heads_[task].gradient.view();
    require(outputs[task].shape == gradient.shape, "[objective] expected {} of {}, got {}",
            gradient.shape, to_string(task), outputs[task].shape);
    heads_[task].loss->compute(ctx, gradient, outputs[task]);
  }
}

ObjectiveValue Objective::value() {
  ObjectiveValue value;
  for (const Task task : options_.heads) {
    value.heads[task] = heads_[task].loss->value();
    value.total += static_cast<double>(options_.head[task].weight) * value.heads[task].loss;
  }
  return value;
}

ByTask<ConstView> Objective::gradients() const {
  ByTask<ConstView> all;
  for (const Task task : options_.heads) all[task] = heads_[task].gradient.view();
  return all;
}

}  // namespace twinage
