#include "train/optimizer.h"

#include "train/weights.h"

namespace twinage {

AdadeltaOptimizer::AdadeltaOptimizer(const Context& ctx, std::vector<Parameter*> parameters,
                                     const Adadelta& options)
    : options_(options) {
  for (Parameter* p : parameters)
    if (p->trained)
      slots_.push_back(
          {p, Tensor(p->value.shape(), ctx.device), Tensor(p->value.shape(), ctx.device)});
}

void AdadeltaOptimizer::step(const Context& ctx, float factor) {
  for (Slot& slot : slots_)
    adadelta(ctx, slot.parameter->value.data(), slot.mean_square_gradient.data(),
             slot.mean_square_step.data(), slot.parameter->grad.data(),
             slot.parameter->value.size(), options_, factor);
}

void AdadeltaOptimizer::save(SafetensorsWriter& writer) const {
  for (const Slot& slot : slots_) {
    const std::string name = "optimizer." + slot.parameter->name;
    save_tensor(writer, name + ".mean_square_gradient", slot.mean_square_gradient);
    save_tensor(writer, name + ".mean_square_step", slot.mean_square_step);
  }
}

void AdadeltaOptimizer::load(const SafetensorsFile& file) {
  for (Slot& slot : slots_) {
    const std::string name = "optimizer." + slot.parameter->name;
    load_tensor(file, name + ".mean_square_gradient", slot.mean_square_gradient);
    load_tensor(file, name + ".mean_square_step", slot.mean_square_step);
  }
}

}  // namespace twinage
