// Faces that a network learns in a few steps.
#pragma once
#include <filesystem>

#include <fmt/format.h>

#include "core/random.h"
#include "train/faces/pictures/image.h"

namespace twinage::test {

// Pictures whose brightness is the age and whose hue is the gender: learnable in a few steps.
inline void make_faces(const std::filesystem::path& folder, int count, std::uint64_t seed) {
  std::filesystem::create_directories(folder);
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    const auto age = static_cast<int>(random.below(80));
    const auto gender = static_cast<int>(random.below(2));
    Image image{80, 80, std::vector<std::uint8_t>(80 * 80 * 3)};
    for (Index y = 0; y < 80; ++y)
      for (Index x = 0; x < 80; ++x)
        for (int c = 0; c < 3; ++c)
          image.pixel(y, x)[c] = static_cast<std::uint8_t>(
              40 + age * 2 + static_cast<int>(random.below(20)) + (c == 2 * gender ? 30 : 0));
    write_png(folder / fmt::format("{}_{}_4_{:017}.jpg.chip.jpg", age, gender, i), image);
  }
}

}  // namespace twinage::test
