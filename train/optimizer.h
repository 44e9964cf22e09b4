// ADADELTA over all trained parameters of a network, in one call of the kernel.
#pragma once
#include <string>
#include <vector>

#include "core/safetensors.h"
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

  // One update from the gradients; see kernels/adadelta/adadelta.h.
  void step(const Context& ctx, float factor);

  // State is keyed by the parameters' names: "optimizer.<name>.mean_square_gradient" and
  // "optimizer.<name>.mean_square_step".
  void save(SafetensorsWriter& writer) const;
  void load(const SafetensorsFile& file);  // throws Error

 private:
  // The part of one parameter in the state's two blocks.
  struct Slot {
    std::string name;
    Tensor mean_square_gradient, mean_square_step;
  };
  ParameterArena& arena_;
  Tensor mean_square_gradient_, mean_square_step_;
  std::vector<Slot> slots_;
  Adadelta options_;
  Index slow_ = 0;  // of the block's numbers the first
  float share_ = 1;
};

}  // namespace twinage
