// What tests/fixtures/export_layers.py stored, and the hash from which both sides form inputs and
// parameters.
#pragma once
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "core/view.h"
#include "layers/layer.h"

namespace twinage::test {

// Multiples of 2^-19 in [-1, 1), a function of the name and the position alone.
std::vector<float> hash_uniform(const std::string& name, Index count);

// Gives every parameter the values that the exporter gave it.
void fill_from_hash(const std::vector<Parameter*>& parameters);

// The same, but batch norm's gamma is within 0.125 and 0.375 and its beta within 2.5 and 3.5, so
// that the input of every ReLU in training stays above 0; and without a norm weights are a quarter
// and biases 3 further from 0, so that ReLUs stay above 0 or, for a quarter of the channels, below:
// next to its kink, gradients of float32 and float64 differ, and finite differences from both.
void fill_away_from_kinks(const std::vector<Parameter*>& parameters);

class Fixture {
 public:
  explicit Fixture(const std::string& case_name);
  // Largest deviation of `got` from what is stored under `name`, relative to the stored tensor's
  // norm / sqrt(size) (that is, to a typical element). For tensors stored as projections, to the
  // typical size of a projection. NaN if anything is NaN.
  double error(const std::string& name, ConstView got) const;

 private:
  const SafetensorsFile& file_;
  std::string case_;
};

}  // namespace twinage::test
