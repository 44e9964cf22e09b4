// MORPH II (Ricanek and Tesafaye 2006): 55,134 pictures of 13,617 persons.
#pragma once
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Person, gender and age from the name of a picture of MORPH's album, 009055_1M54.JPG: person 9055,
// their second picture, male, 54 years; or why they cannot be read. Only these are set. Persons are
// numbers without leading zeros, as its list writes some.
Reason read_morph_name(Face& face, std::string_view name);

}  // namespace twinage
