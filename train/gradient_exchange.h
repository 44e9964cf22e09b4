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
  // Waits for the others; the arena's gradients are then those of the whole batch, or with
  // share_out() those of this rank's parts. Throws Error when some gradient was never said to be
  // whole.
  void finish();

  // From now on each rank gets the sums of its parts only, of the parameters that it will update
  // (ZeRO stage 1, Rajbhandari et al. 2020). Of every bucket a rank has a part.
  void share_out() { shared_out_ = true; }
  bool shared_out() const { return shared_out_; }
  // This rank's parts of the arena, in its order.
  std::vector<Shards::Part> parts() const;
  // Of the parameters each rank has updated its parts; all ranks get all.
  void gather_values() const;
  // Of such a block each rank has its parts one after the other, at `mine`; rank 0 gets all of it
  // at `whole`, which is null on the others. All of them are on the arena's device.
  void collect(float* whole, const float* mine) const;

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
  bool shared_out_ = false;
};

}  // namespace twinage
