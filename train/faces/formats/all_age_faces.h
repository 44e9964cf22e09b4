// All-Age-Faces (Cheng et al. 2019): 13,322 pictures of Asian faces, 2 to 80 years.
#pragma once
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Age and gender from the name of a picture, 07381A02.jpg: 2 years, male, for pictures up to number
// 7380 are female and all beyond male; or why they cannot be read. Only these are set.
Reason read_all_age_faces_name(Face& face, std::string_view name);

}  // namespace twinage
