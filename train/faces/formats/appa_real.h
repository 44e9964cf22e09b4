// APPA-REAL (Agustsson et al. 2017): 7,591 photographs with the age that people guess and the real
// one, in an official split of 4,113 to train on, 1,500 to validate and 1,978 to test with.
#pragma once
#include <filesystem>
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Adds what a list's text names to dataset.faces and dataset.skipped: file_name 000000.jpg of part
// "train" is the crop train/000000.jpg_face.jpg beside the list `path`, its age real_age (and not
// apparent_age_avg, what people guess). Throws Error as read_manifest does.
void read_appa_real_list(FaceDataset& dataset, std::string_view text,
                         const std::filesystem::path& path, std::string_view part,
                         AgeRanges ranges);

}  // namespace twinage
