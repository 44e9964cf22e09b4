// The towers there are, and the presets: which tower at which size.
//
// A tower turns images (N, S, S, 3) into features (N, 1, 1, channels). To add one: a file in this
// folder with a function `Stage NAME(const Preset&)`, and its row in backbone.cpp.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "layers/path.h"

namespace twinage {

struct Preset {
  std::string name;
  std::string backbone;  // a name of the table of towers
  Index input = 299;     // pixels a side that the tower sees
  Index load = 332;      // pixels a side that a face is resized to before it is cropped
  double width = 1.0;    // factor on every number of channels, rounded to a multiple of 8
  Index batch = 64;      // faces a step, unless said otherwise, where costs are counted
  std::string note{};    // for help: where it comes from, if from a paper
};

// Throws UsageError for another name than those of preset_names().
Preset preset(std::string_view name);
std::vector<std::string> preset_names();
std::string preset_choices();  // "tiny (72 px), small (128 px) or ...", for help

// The preset's tower, its weights zero until initialised or loaded. Throws UsageError when there
// is no tower of this name.
Stage tower(const Preset& preset);
std::vector<std::string> backbone_names();

// How many of a tower's parts `freeze` means, from the images on: "none"; "stem", what is before
// the first block; "3", that and three blocks. A block is a part made of parts (Mixed_5b); in a
// tower without any it is each layer that has parameters. Throws UsageError.
Index frozen_parts(const Layer& tower, std::string_view freeze);
bool is_freeze(std::string_view text);  // whether it is one of these, for some tower

}  // namespace twinage
