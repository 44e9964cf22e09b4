// Where a run is: all that its end depends on besides the weights, the optimizer's means and the
// configuration. It is in RUN/state.safetensors (train/state_file.h).
#pragma once
#include <cstdint>

namespace twinage {

struct RunState {
  std::uint64_t step = 0;  // steps done
  std::uint64_t last_validation = 0, best_step = 0;
  double best_mae = 0;      // years, of held-out faces at best_step; of no meaning while that is 0
  double seconds = 0;       // of training, over all sessions of the run
  double validated_at = 0;  // the same at the last validation
  bool over = false;        // all steps are done
  bool validation_pending = false;  // it was due, and did not come to its end

  // What tells two states apart: two that agree in it have the same weights, too.
  bool same_place(const RunState& other) const {
    return step == other.step && last_validation == other.last_validation && over == other.over &&
           validation_pending == other.validation_pending;
  }
};

}  // namespace twinage
