// CSV manifests of faces: one row for each picture.
#pragma once
#include <filesystem>
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Adds what the manifest names to dataset.faces and dataset.skipped (find_faces says the format),
// in the order of its rows, and counts gender words that are none. Throws Error when it has no
// usable header or is no CSV.
void read_manifest(FaceDataset& dataset, const std::filesystem::path& path, AgeRanges ranges);

// The same of the manifest's text; `path` stands in errors, its folder is where paths start.
void read_manifest(FaceDataset& dataset, std::string_view text, const std::filesystem::path& path,
                   AgeRanges ranges);

// Why no picture can be in this file: there is none, it is empty, it is no file.
Reason check_file(const std::filesystem::path& path);

}  // namespace twinage
