// twinage data PATH: what was found, and what is skipped and why.
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "train/faces/face_dataset.h"

namespace twinage {

// Counts, ages, labels, copies, and what is skipped, grouped by reason, the most frequent first.
nlohmann::ordered_json data_as_json(const FaceDataset& dataset);
// The same in words, for a terminal of 80 columns.
std::string data_as_text(const FaceDataset& dataset);
// The formats of train/faces/formats/format.h, for people and for programs.
std::string formats_as_text();
nlohmann::ordered_json formats_as_json();
// Names of files may hold anything; control characters, which would move the cursor about, become
// question marks.
std::string printable(std::string text);

}  // namespace twinage
