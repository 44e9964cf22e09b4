// ParameterArena: all trained parameters of a network in one block of a device's memory, and their
// gradients in another, so that zeroing, updating and checking them are one kernel each instead of
// hundreds. Every tensor starts on a cache line; the floats in between are and stay 0.
#pragma once
#include <vector>

#include "core/tensor.h"
#include "layers/layer.h"

namespace twinage {

class ParameterArena {
 public:
  // Moves values and gradients of the parameters into the arena, wherever they were; the tensors of
  // each Parameter are a part of it from here on. Running statistics (not trained) get a block of
  // their own. Pointers into the old memory become invalid. The parameters must outlive the arena's
  // use, not the arena.
  void gather(const std::vector<Parameter*>& parameters, Device device);

  Device device() const { return values_.device(); }
  bool empty() const { return values_.empty(); }
  Tensor& values() { return values_; }
  Tensor& gradients() { return gradients_; }
  Tensor& statistics() { return statistics_; }  // of those that are not trained
  // Where the i-th trained parameter starts, in floats.
  const std::vector<Index>& offsets() const { return offsets_; }

 private:
  Tensor values_, gradients_, statistics_;
  std::vector<Index> offsets_;
};

}  // namespace twinage
