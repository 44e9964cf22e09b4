// ADADELTA over all trained parameters of a network.
#pragma once
#include <vector>

#include "core/safetensors.h"
#include "kernels/adadelta/adadelta.h"
#include "layers/layer.h"

namespace twinage {

class AdadeltaOptimizer {
 public:
  // The parameters must outlive the optimizer. Those with trained == false are left alone.
  AdadeltaOptimizer(const Context& ctx, std::vector<Parameter*> parameters,
                    const Adadelta& options);

  // One update from the gradients; see kernels/adadelta/adadelta.h.
  void step(const Context& ctx, float factor);

  // State is keyed by the parameters' names: "optimizer.<name>.mean_square_gradient" and
  // "optimizer.<name>.mean_square_step".
  void save(SafetensorsWriter& writer) const;
  void load(const SafetensorsFile& file);  // throws Error

 private:
  struct Slot {
    Parameter* parameter;
    Tensor mean_square_gradient, mean_square_step;
  };
  std::vector<Slot> slots_;
  Adadelta options_;
};

}  // namespace twinage
