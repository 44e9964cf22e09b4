// The gradients of several ranks, added up while backward still goes on: backward ends with the
// first layers, and by then the last layers' gradients have long been whole.
#pragma once
#include <vector>

#include "core/shards.h"
#include "core/tensor.h"
#include "layers/parameter_arena.h"

namespace twinage {

// The arena is cut into buckets of parameters. As soon as a rank's gradients of all parameters in a
// bucket are whole, its parts leave for their owners; that happens in the same order on all ranks,
// for all go through the same layers. What has arrived is added up when backward has ended. Which
// bucket a number is in does not change its sum.
class GradientExchange {
 public:
  // Both must outlive it. Alone (shards.ranks() is null) every call does nothing.
  GradientExchange(const Shards& shards, ParameterArena& arena);

  void begin_step();
  // This rank's sum of `count` gradients that begin at `sum` is whole.
  void whole(const float* sum, Index count);
  // Waits for the others; the arena's gradients are then those of the whole batch. Throws Error
  // when some gradient was never said to be whole.
  void finish();

 private:
  struct Bucket {
    Index begin = 0, end = 0;  // floats of the arena
    Index missing = 0;         // of them not yet whole
    float* scratch = nullptr;
  };
  const Shards& shards_;
  ParameterArena& arena_;
  std::vector<Bucket> buckets_;
  std::vector<Shards::Sum> begun_;
  Tensor scratch_;
};

}  // namespace twinage
