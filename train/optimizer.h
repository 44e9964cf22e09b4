// ADADELTA over all trained parameters of a network, in one call of the kernel; or, where several
// processes share the parameters out, over this one's parts of them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "core/shards.h"
#include "kernels/adadelta/adadelta.h"
#include "layers/layer.h"
#include "layers/parameter_arena.h"

namespace twinage {

class AdadeltaOptimizer {
 public:
  // Starts from zero state for the parameters gathered in the arena (TwinNetwork::place_on), on its
  // device; both must outlive the optimizer. Those with trained == false are left alone.
  AdadeltaOptimizer(ParameterArena& arena, const std::vector<Parameter*>& parameters,
                    const Adadelta& options);

  // From now on the first so many of the trained parameters (a tower that began from published
  // weights) take `share` of the step factor, 0 to 1.
  void slow_down(std::size_t parameters, double share);

  // From now on this process updates these parts of the arena only, and has state for no others
  // (ZeRO stage 1). To be called before the first step.
  void keep_only(std::vector<Shards::Part> parts);

  // One update from the gradients; see kernels/adadelta/adadelta.h.
  void step(const Context& ctx, float factor);

  // After keep_only(), before save(): puts the processes' parts together. collect gets this one's
  // parts of a mean, one after the other, and fills `whole`, of the arena's size and on its device,
  // where that is not null, which is so on the first process (GradientExchange::collect).
  void collect(bool first, const std::function<void(float* whole, const float* mine)>& collect);

  // State is keyed by the parameters' names: "optimizer.<name>.mean_square_gradient" and
  // "optimizer.<name>.mean_square_step".
  void save(SafetensorsWriter& writer);
  void load(const SafetensorsFile& file);  // throws Error

 private:
  // Of one parameter, in blocks like the arena's.
  struct Slot {
    std::string name;
    Shape shape;
    Index offset;
    Tensor in(Tensor& block) const { return {shape, block.data() + offset, block.device()}; }
  };
  struct Means {
    Tensor square_gradient, square_step;
  };
  bool whole() const { return parts_.empty(); }

  ParameterArena& arena_;
  Means means_;                      // of the arena, or of the parts one after the other
  std::vector<Shards::Part> parts_;  // empty: of the arena
  Means collected_;                  // of the arena, on the first process, until they are saved
  std::vector<Slot> slots_;
  Adadelta options_;
  Index slow_ = 0;  // of the block's numbers the first
  float share_ = 1;
};

}  // namespace twinage
