// A moving average of the weights (Polyak and Juditsky 1992; of the form used here, Tarvainen and
// Valpola 2017): after every step
//
//   average += (1 - d_t) (weights - average),   d_t = min(decay, (1 + t) / (10 + t))
//
// of all parameters, the running statistics of batch norm included. The weights that one step
// leaves jump about those that are good; their average lies in the middle, and it is what is
// validated and becomes the model. Training itself goes on from the weights. [ours]
#pragma once
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "layers/layer.h"
#include "layers/parameter_arena.h"

namespace twinage {

class WeightsAverage {
 public:
  // Of the parameters gathered in the arena, on its device; both must outlive it. decay of [0, 1);
  // 0: there is no average, and every function below does nothing.
  WeightsAverage(ParameterArena& arena, const std::vector<Parameter*>& parameters, double decay);

  // The average is the weights: to be called once they are initialised.
  void start(const Context& ctx);
  // After step `step`, the first of which is 1.
  void add(const Context& ctx, std::uint64_t step);
  // The network computes with the average, and with its own weights again after the second call.
  void swap();

  // Keyed by the parameters' names: "average.<name>". Throws Error.
  void save(SafetensorsWriter& writer) const;
  void load(const SafetensorsFile& file);

 private:
  struct Slot {
    std::string name;
    Tensor value;  // a part of a block below
  };
  ParameterArena& arena_;
  double decay_;
  Tensor values_, statistics_, spare_;
  std::vector<Slot> slots_;
};

// While it lives the network computes with the average.
class AverageInPlace {
 public:
  explicit AverageInPlace(WeightsAverage& average) : average_(average) { average_.swap(); }
  ~AverageInPlace() { average_.swap(); }
  AverageInPlace(const AverageInPlace&) = delete;
  AverageInPlace& operator=(const AverageInPlace&) = delete;

 private:
  WeightsAverage& average_;
};

}  // namespace twinage
