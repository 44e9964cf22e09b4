// AgeDB (Moschoglou et al. 2017): 16,488 pictures of 568 persons.
#pragma once
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Person, age and gender from the name of a picture, 1000_StephenHawking_53_m.jpg (the first number
// counts pictures); or why they cannot be read. Only these are set. A person is the words between
// the numbers, of which the first is no number: 1_2_30_m.jpg is no name of AgeDB's.
Reason read_agedb_name(Face& face, std::string_view name);

}  // namespace twinage
