// A tower that starts from somebody's weights instead of from random ones.
#pragma once
#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "layers/layer.h"
#include "train/model/import/tensor_file.h"

namespace twinage {

// What the source's network was fed: (byte / 255 - mean) / deviation of each colour. torchvision's
// Inception v3 undoes ImageNet's values itself (transform_input), so that its tower sees 0.5 and
// 0.5, and timm's is fed with these.
struct SourceScale {
  std::array<double, 3> mean{0.5, 0.5, 0.5}, deviation{0.5, 0.5, 0.5};
};

struct ImportedWeights {
  std::vector<std::string> loaded;    // names of our parameters, in their order
  std::vector<std::string> left_out;  // names of the file that have no place here, sorted
};

// Sets the tower's parameters from tensors of the same names (torchvision's; before them may stand
// "module.", as DataParallel writes it). Filters are brought from K C R S to K R S C. Our pixels
// are (byte - 127.5) / 64: what that differs in from the source's scale is folded into the filters
// of the first layer, which pads nothing, and into the mean of its norm, so that the tower computes
// what the source's does, exactly but for rounding.
//
// The file's classifier, auxiliary head and counters are left out, and named. Throws Error, with
// the tower as it was, where a parameter is missing or has another shape (another width of the
// tower, say), and where a number is not finite or a variance negative.
ImportedWeights import_tower(const TensorFile& file, std::span<Parameter* const> tower,
                             const SourceScale& scale = {});

// The other way: the tower's parameters as torchvision would have them, in the tower's order,
// filters K C R S; of a network that is fed (byte / 255 - mean) / deviation.
std::vector<std::vector<float>> exported_tower(std::span<Parameter* const> tower,
                                               const SourceScale& scale = {});

}  // namespace twinage
