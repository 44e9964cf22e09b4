// A set of faces: where each picture is and what is known about it. The conventions of the public
// data sets stand at each loader.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twinage {

struct Face {
  std::string path;
  float age = 0;              // years
  std::int32_t gender = -1;   // 0 male, 1 female, -1 unknown
  std::int32_t race = -1;     // UTKFace: 0 White, 1 Black, 2 Asian, 3 Indian, 4 Other; -1 unknown
  std::string subject;        // the person, if known
  std::uint64_t content = 0;  // content_hash of the file; 0 until the file has been read
};

struct Skipped {
  std::string path;    // the file; manifest:line where a row names none
  std::string reason;  // without the path, so that equal reasons can be counted
};

// "path: reason", of a reason that may name the path already.
std::string description(const Skipped& skipped);

struct FaceDataset {
  std::string format;            // "utkface", "manifest"
  std::vector<Face> faces;       // sorted by path
  std::vector<Skipped> skipped;  // what was found but cannot be used, and why; sorted by path
};

constexpr float kMaxAge = 120;  // years; labels beyond are skipped and counted

// Of Face::gender and Face::race; "unknown" for -1.
std::string_view gender_name(std::int32_t gender);
std::string_view race_name(std::int32_t race);
constexpr std::int32_t kGenders = 2, kRaces = 5;

// Finds the faces of one of:
// - a folder of pictures named as UTKFace names them, age_gender_race_time.jpg, subfolders included
//   (also what `twinage synth` writes);
// - a CSV manifest whose header names `path` and `age`, and optionally `gender` (0, 1, m, f, male,
// female),
//   `race` (0 to 4 or UTKFace's names), `subject`, in any order; an empty field means unknown.
//   Relative paths start at the manifest's folder.
// Only names and labels are read, not pictures. Throws Error when there is no usable face: empty
// folder, no such file, missing columns, every picture skipped.
FaceDataset find_faces(const std::filesystem::path& path);

}  // namespace twinage
