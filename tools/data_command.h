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

}  // namespace twinage
