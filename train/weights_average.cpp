#include "train/weights_average.h"

#include <algorithm>

#include "core/error.h"
#include "core/workspace.h"
#include "kernels/elementwise/elementwise.h"
#include "train/model/weights.h"

namespace twinage {

WeightsAverage::WeightsAverage(ParameterArena& arena, const std::vector<Parameter*>& parameters,
                               double decay)
    : arena_(arena), decay_(decay) {
  require(decay >= 0 && decay < 1, "[weights_average] expected a decay of 0 to below 1, got {}",
          decay);
  if (decay == 0) return;
  require(!arena.empty(), "[weights_average] expected gathered parameters: call place_on() first");
  const Device device = arena.device();
  values_ = Tensor(arena.values().shape(), device);
  statistics_ = Tensor(arena.statistics().shape(), device);
  spare_ = Tensor(vector(std::max(values_.size(), statistics_.size())), device);
  float* trained = values_.data();
  float* running = statistics_.data();
  for (const Parameter* p : parameters) {  // in the order of ParameterArena::gather
    float*& block = p->trained ? trained : running;
    slots_.push_back({"average." + p->name, Tensor(p->value.shape(), block, device)});
    block += workspace_floats(p->value.size());
  }
}

void WeightsAverage::start(const Context& ctx) {
  if (decay_ == 0) return;
  copy(ctx, values_.view(), arena_.values().view());
  copy(ctx, statistics_.view(), arena_.statistics().view());
}

void WeightsAverage::add(const Context& ctx, std::uint64_t step) {
  if (decay_ == 0) return;
  const auto t = static_cast<double>(step);
  const auto share = static_cast<float>(1 - std::min(decay_, (1 + t) / (10 + t)));
  lerp(ctx, values_.view(), arena_.values().view(), share);
  lerp(ctx, statistics_.view(), arena_.statistics().view(), share);
}

void WeightsAverage::swap() {
  if (decay_ == 0) return;
  const auto exchange = [this](Tensor& a, Tensor& b) {
    Tensor held(a.shape(), spare_.data(), spare_.device());
    held.copy_from(a);
    a.copy_from(b);
    b.copy_from(held);
  };
  exchange(values_, arena_.values());
  exchange(statistics_, arena_.statistics());
}

void WeightsAverage::save(SafetensorsWriter& writer) const {
  for (const Slot& slot : slots_) save_tensor(writer, slot.name, slot.value);
}

void WeightsAverage::load(const SafetensorsFile& file) {
  for (Slot& slot : slots_) load_tensor(file, slot.name, slot.value);
}

}  // namespace twinage
