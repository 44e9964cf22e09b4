// What 'twinage split' says of a split that it made.
#pragma once
#include <string>

#include "train/faces/protocols.h"

namespace twinage {

// Faces, persons and ages of each part, and what is in none, for a terminal of 80 columns.
std::string split_as_text(const std::string& out, const MadeSplit& made, Index skipped,
                          Index damaged);

}  // namespace twinage
