// A set of faces: where each picture is and what is known about it. FIELD.md's conventions of the
// public data sets stand at each loader.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace twinage {

struct Face {
  std::string path;
  float age = 0;             // years
  std::int32_t gender = -1;  // 0 male, 1 female, -1 unknown
  std::int32_t race = -1;    // UTKFace: 0 White, 1 Black, 2 Asian, 3 Indian, 4 Other; -1 unknown
  std::string subject;       // the person, if known
};

struct Skipped {
  std::string path, reason;
};

struct FaceDataset {
  std::string format;            // "utkface", "manifest"
  std::vector<Face> faces;       // sorted by path
  std::vector<Skipped> skipped;  // pictures that were found but cannot be used, and why
};

// A folder of UTKFace pictures (also the folders that `twinage synth` writes), or a CSV manifest
// with a header naming `path` and `age`, optionally gender, race, subject; relative paths are relative to the
// manifest's folder. Only names and labels are read, not pictures. Throws Error when there is no usable face: empty folder, no
// such file, missing columns.
FaceDataset find_faces(const std::filesystem::path& path);

constexpr float kMaxAge = 120;  // years; labels beyond are skipped and counted

}  // namespace twinage
