// A tenth of the faces, kept apart to measure with, where nobody says which.
#pragma once
#include <filesystem>

#include "tools/experiments/experiments.h"

namespace twinage {

constexpr double kMeasuredShare = 0.1;  // [ours]

// Writes two manifests with absolute paths: FOLDER/train.csv and FOLDER/val.csv. Copies of a
// picture and pictures of a person go the same way. The same faces are divided alike each time.
// Throws Error where there are too few.
void write_own_split(const std::filesystem::path& folder, const CommonOptions& all);

}  // namespace twinage
