#include "train/optimizer.h"

#include <algorithm>

#include "core/device_memory.h"
#include "core/error.h"
#include "train/model/weights.h"

namespace twinage {

AdadeltaOptimizer::AdadeltaOptimizer(ParameterArena& arena,
                                     const std::vector<Parameter*>& parameters,
                                     const Adadelta& options)
    : arena_(arena), options_(options) {
  require(!arena.empty(), "[optimizer] expected gathered parameters: call place_on() first");
  const Device device = arena.device();
  means_ = {Tensor(arena.values().shape(), device), Tensor(arena.values().shape(), device)};
  for (const Parameter* p : parameters)
    if (p->trained)
      slots_.push_back(
          {"optimizer." + p->name, p->value.shape(), arena.offsets().at(slots_.size())});
}

void AdadeltaOptimizer::slow_down(std::size_t parameters, double share) {
  require(parameters <= slots_.size() && share >= 0 && share <= 1,
          "[optimizer] expected at most {} parameters and a share of 0 to 1, got {} and {}",
          slots_.size(), parameters, share);
  slow_ = parameters < slots_.size() ? arena_.offsets().at(parameters) : arena_.values().size();
  share_ = static_cast<float>(share);
}

void AdadeltaOptimizer::keep_only(std::vector<Shards::Part> parts) {
  Index floats = 0;
  for (const Shards::Part& part : parts) floats += part.size();
  const Shape shape = vector(std::max<Index>(1, floats));
  means_ = {Tensor(shape, arena_.device()), Tensor(shape, arena_.device())};
  parts_ = std::move(parts);
}

void AdadeltaOptimizer::step(const Context& ctx, float factor) {
  Index kept = 0;  // where the means of the part begin
  const auto update = [&](Index begin, Index end, float of_these) {
    if (begin >= end) return;
    adadelta(ctx, arena_.values().data() + begin, means_.square_gradient.data() + kept,
             means_.square_step.data() + kept, arena_.gradients().data() + begin, end - begin,
             options_, of_these);
    kept += end - begin;
  };
  const auto update_part = [&](const Shards::Part& part) {
    update(part.begin, std::min(part.end, slow_), share_ * factor);
    update(std::max(part.begin, slow_), part.end, factor);
  };
  if (whole()) return update_part({0, arena_.values().size()});
  for (const Shards::Part& part : parts_) update_part(part);
}

void AdadeltaOptimizer::collect(
    bool first, const std::function<void(float* whole, const float* mine)>& collect) {
  const auto both = [&](Tensor& to, const Tensor& mine) {
    if (first) to = Tensor(arena_.values().shape(), arena_.device());
    collect(first ? to.data() : nullptr, mine.data());
  };
  both(collected_.square_gradient, means_.square_gradient);
  both(collected_.square_step, means_.square_step);
}

void AdadeltaOptimizer::save(SafetensorsWriter& writer) {
  require(whole() || !collected_.square_step.empty(),
          "[optimizer] the state is shared out: call collect() on all processes first");
  Means& means = whole() ? means_ : collected_;
  for (const Slot& slot : slots_) {
    save_tensor(writer, slot.name + ".mean_square_gradient", slot.in(means.square_gradient));
    save_tensor(writer, slot.name + ".mean_square_step", slot.in(means.square_step));
  }
  collected_ = {};
}

void AdadeltaOptimizer::load(const SafetensorsFile& file) {
  const auto load = [&](Tensor& kept, const std::string& which) {
    Tensor all = whole() ? Tensor() : Tensor(arena_.values().shape());
    for (const Slot& slot : slots_) {
      Tensor of_parameter = slot.in(whole() ? kept : all);
      load_tensor(file, slot.name + which, of_parameter);
    }
    float* to = kept.data();
    for (const Shards::Part& part : parts_) {
      copy_bytes(to, arena_.device(), all.data() + part.begin, Device::cpu,
                 static_cast<std::size_t>(part.size()) * sizeof(float));
      to += part.size();
    }
  };
  load(means_.square_gradient, ".mean_square_gradient");
  load(means_.square_step, ".mean_square_step");
}

}  // namespace twinage
