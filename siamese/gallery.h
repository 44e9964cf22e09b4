// Faces of known age, and what is kept of them in a finished model.
#pragma once
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "core/tensor.h"
#include "siamese/calibration.h"

namespace twinage {

struct Gallery {
  Tensor embeddings;               // matrix(count, width)
  std::vector<float> ages;         // years [count]
  std::vector<std::string> names;  // file names, for "nearest references" [count]
};

// In and out of a model file; names start with "gallery." and "calibration.". Both throw Error
// where the parts do not fit together; load leaves its arguments alone then and says that the file
// is "not a finished Twinage model".
void save(SafetensorsWriter& writer, const Gallery& gallery, const Calibration& calibration);
void load(const SafetensorsFile& file, Gallery& gallery, Calibration& calibration);

}  // namespace twinage
