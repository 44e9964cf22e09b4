// Procedural faces of known age and gender: something to learn from where no photograph may go.
//
// Drawn, not photographed: what a network learns here says that the system learns, not how well it
// would read real people. Age and gender show through many weak cues (proportions, wrinkles, hair,
// skin, brows, lips, beard, make-up; train/faces/synthetic/traits.h), and everybody's cues run
// early or late, so that no reader can be right all the time.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "train/faces/pictures/image.h"

namespace twinage {

// Who: a person (the looks that stay through life) is a pure function of (seed, index), and so are
// pose, light and background of the picture. Setting another age or gender keeps both.
struct SyntheticFace {
  std::uint64_t seed = 0, index = 0;
  int age = 0;     // years, 0 to 100
  int gender = 0;  // 0 male, 1 female
};

// Face `index` of a seed, with an age and a gender as common as in public sets: most are 20 to 40.
SyntheticFace synthetic_face(std::uint64_t seed, std::uint64_t index);

struct SyntheticPicture {
  Image image;       // square
  int jpeg_quality;  // part of how the picture was taken
};

constexpr Index kMinSyntheticSide = 16, kMaxSyntheticSide = 1024;  // pixels

// Throws Error for an age, gender or side out of range.
SyntheticPicture render_synthetic_face(const SyntheticFace& face, Index side);

// As UTKFace names its pictures: age_gender_race_time.jpg.chip.jpg. The race is 4 (other), the time
// is made from index and seed, so that a folder can hold several seeds.
std::string synthetic_face_name(const SyntheticFace& face);

struct SyntheticFolder {
  std::filesystem::path folder;  // made if absent; must be empty
  Index count = 0;
  std::uint64_t seed = 0;
  Index side = 200;  // pixels
  int threads = 1;
};

// Writes faces 0 to count - 1 of a seed as JPEG. The files are the same whatever the number of
// threads. Calls progress(done, total) from one thread. Throws Error when the folder holds
// anything.
void write_synthetic_faces(const SyntheticFolder& what,
                           const std::function<void(Index, Index)>& progress = {});

// One person a row, men and women in turn, growing older from left to right.
Image synthetic_contact_sheet(std::uint64_t seed, Index rows, Index side, int threads);

}  // namespace twinage
