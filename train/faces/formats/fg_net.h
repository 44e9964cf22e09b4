// FG-NET (Panis et al. 2016): 1,002 pictures of 82 persons, the set of which one person at a time
// is left out.
#pragma once
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Person and age from the name of a picture, 001A43a.JPG: person 1, 43 years, the first of several
// of that age; or why they cannot be read. Only these are set. Either case of the letters.
Reason read_fg_net_name(Face& face, std::string_view name);

}  // namespace twinage
