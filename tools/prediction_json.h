// What is said of one picture, as JSON: by predict, and by whoever serves it.
#pragma once
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "train/model/face_reader.h"

namespace twinage {

// Of picture i of those that were read.
nlohmann::ordered_json prediction_json(const Readings& readings, std::size_t i, const Model& model);
// Of one that could not be.
nlohmann::ordered_json unreadable_json(const Skipped& skipped);
// On one line, without its end; bytes that are no UTF-8 are replaced.
std::string line_of(const nlohmann::ordered_json& json);

}  // namespace twinage
