// MegaAge-Asian (Zhang et al. 2017): 40,000 faces to train on and 3,945 to test with, by two lists
// of file names, each with a list of ages beside it.
#pragma once
#include <filesystem>
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// The two lists of a part of the set, and the folder of its pictures.
struct MegaAgePart {
  std::filesystem::path folder, names, ages;
};

// Adds what the lists' texts name to dataset.faces and dataset.skipped, in their order: a picture
// and an age for each line. Throws Error when they have not the same number of lines, empty ones at
// their ends not counted, as then nobody knows which age belongs to which picture, or are no text.
void read_megaage_lists(FaceDataset& dataset, std::string_view names, std::string_view ages,
                        const MegaAgePart& part, AgeRanges ranges);

}  // namespace twinage
