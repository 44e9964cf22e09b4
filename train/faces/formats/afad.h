// AFAD, the Asian Face Age Dataset (Niu et al. 2016): 164,432 pictures (AFAD-Lite: 59,344) in
// folders of age and gender.
#pragma once
#include <filesystem>

#include "train/faces/face_dataset.h"

namespace twinage {

// Age and gender from where a picture lies, .../18/111/109428-0.jpg: 18 years, male (112: female);
// or why they cannot be read. Only these are set. `path` needs its last two folders. What the
// number 109428 counts is not documented: it is not taken for a person.
Reason read_afad_path(Face& face, const std::filesystem::path& path);

}  // namespace twinage
