#include "train/optimizer.h"

#include "core/error.h"
#include "train/model/weights.h"

namespace twinage {

AdadeltaOptimizer::AdadeltaOptimizer(ParameterArena& arena,
                                     const std::vector<Parameter*>& parameters,
                                     const Adadelta& options)
    : arena_(arena), options_(options) {
  require(!arena.empty(), "[optimizer] expected gathered parameters: call place_on() first");
  const Device device = arena.device();
  mean_square_gradient_ = Tensor(arena.values().shape(), device);
  mean_square_step_ = Tensor(arena.values().shape(), device);
  for (const Parameter* p : parameters) {
    if (!p->trained) continue;
    const Index offset = arena.offsets().at(slots_.size());
    slots_.push_back({"optimizer." + p->name,
                      Tensor(p->value.shape(), mean_square_gradient_.data() + offset, device),
                      Tensor(p->value.shape(), mean_square_step_.data() + offset, device)});
  }
}

void AdadeltaOptimizer::slow_down(std::size_t parameters, double share) {
  require(parameters <= slots_.size() && share >= 0 && share <= 1,
          "[optimizer] expected at most {} parameters and a share of 0 to 1, got {} and {}",
          slots_.size(), parameters, share);
  slow_ = parameters < slots_.size() ? arena_.offsets().at(parameters) : arena_.values().size();
  share_ = static_cast<float>(share);
}

void AdadeltaOptimizer::step(const Context& ctx, float factor) {
  const auto update = [&](Index begin, Index end, float of_these) {
    if (begin == end) return;
    adadelta(ctx, arena_.values().data() + begin, mean_square_gradient_.data() + begin,
             mean_square_step_.data() + begin, arena_.gradients().data() + begin, end - begin,
             options_, of_these);
  };
  update(0, slow_, share_ * factor);
  update(slow_, arena_.values().size(), factor);
}

void AdadeltaOptimizer::save(SafetensorsWriter& writer) const {
  for (const Slot& slot : slots_) {
    save_tensor(writer, slot.name + ".mean_square_gradient", slot.mean_square_gradient);
    save_tensor(writer, slot.name + ".mean_square_step", slot.mean_square_step);
  }
}

void AdadeltaOptimizer::load(const SafetensorsFile& file) {
  for (Slot& slot : slots_) {
    load_tensor(file, slot.name + ".mean_square_gradient", slot.mean_square_gradient);
    load_tensor(file, slot.name + ".mean_square_step", slot.mean_square_step);
  }
}

}  // namespace twinage
