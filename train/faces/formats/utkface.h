// Faces whose file names are their labels, as UTKFace has them.
#pragma once
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Age, gender and race from [age]_[gender]_[race]_[time].jpg, the name without its folder; or why
// they cannot be read. Only age, gender and race of the face are set.
Reason read_utkface_name(Face& face, std::string_view name);

}  // namespace twinage
