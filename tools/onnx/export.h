// A trained model as an ONNX file.
#pragma once
#include <filesystem>
#include <string>

#include "train/model/model_file.h"

namespace twinage {

struct OnnxOptions {
  bool gallery = false;    // ages are read, with references where they are compared
  ReadoutOptions readout;  // in this way
};

// Input `pictures`: bytes (N, load, load, 3), RGB, as a face is before it is cut (its middle
// square, brought to preset().load pixels). Outputs, each for N faces, as far as the model has the
// heads: `embedding` (N, width), `p_female` (N), `p_age` (N, kAges) or `age_number` (N); with
// `gallery` `age`, and `age_low` and `age_high` where the model has intervals (N). All are what
// predict computes: means over the model's looks. Opset 17; shapes and what the outputs are stand
// in the file. Throws UsageError for a read-out that the model has no head for, Error where the
// file cannot be written or predict would not read with the model. Returns a line for each output:
// its name, shape and what it is.
std::string export_onnx(Model& model, const std::filesystem::path& path,
                        const OnnxOptions& options);

}  // namespace twinage
