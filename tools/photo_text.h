// What is said of a face that was found in a photograph.
#pragma once
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "train/faces/photo/crop_record.h"
#include "train/faces/photo/photo_faces.h"

namespace twinage {

// The fields of kPhotoColumns.
std::string photo_fields(const CroppedFace& face);
// Adds "box": [x, y, side], "turn", "scale", "confidence", "beyond" and "remark" (null: none).
void add_photo(nlohmann::ordered_json& json, const CroppedFace& face);
// "at (120, 80), 210 pixels, turned by -12 degrees, confidence 1.52".
std::string photo_text(const CroppedFace& face);
// Of how faces are cropped, some lines.
std::string record_text(const CropRecord& record);

}  // namespace twinage
