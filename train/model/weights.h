// Parameters in and out of safetensors files.
#pragma once
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "layers/layer.h"

namespace twinage {

// Shapes are stored N H W C (filters K R S C) with all four extents.
void save_tensor(SafetensorsWriter& writer, const std::string& name, const Tensor& tensor);

// Throws Error when the file has no such tensor, its shape is another one, a number in it is not
// finite, or one is negative that stands for a variance or a mean of squares (by the tensor's
// name): the network would compute on without a word, for ReLU turns NaN into 0.
void load_tensor(const SafetensorsFile& file, const std::string& name, Tensor& tensor);

// All parameters' values, each name behind `prefix`.
void save_weights(SafetensorsWriter& writer, const std::vector<Parameter*>& parameters,
                  const std::string& prefix = "");
void load_weights(const SafetensorsFile& file, const std::vector<Parameter*>& parameters,
                  const std::string& prefix = "");

// A copy of all values, to go back to.
class WeightsCopy {
 public:
  bool empty() const { return values_.empty(); }
  void take(const std::vector<Parameter*>& parameters);
  void put_back(const std::vector<Parameter*>& parameters) const;
  void save(SafetensorsWriter& writer, const std::vector<Parameter*>& parameters,
            const std::string& prefix) const;
  void load(const SafetensorsFile& file, const std::vector<Parameter*>& parameters,
            const std::string& prefix);

 private:
  std::vector<std::vector<float>> values_;  // in the parameters' order
};

}  // namespace twinage
