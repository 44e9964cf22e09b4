// Small folders of faces, laid out as the real sets are.
#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "train/faces/face_dataset.h"
#include "train/faces/pictures/jpeg_writer.h"
#include "train/faces/synthetic_face.h"

namespace twinage::test {
namespace fs = std::filesystem;

inline void write_text(const fs::path& path, std::string_view text = "not looked at") {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, text);
}

// A face that Twinage draws, of any name.
inline void draw(const fs::path& path, int age = 30, int gender = 0, std::uint64_t person = 1) {
  fs::create_directories(path.parent_path());
  const SyntheticPicture picture = render_synthetic_face({5, person, age, gender}, 32);
  write_jpeg(path, picture.image, picture.jpeg_quality);
}

inline std::string reason_for(const FaceDataset& dataset, const std::string& name) {
  for (const Skipped& s : dataset.skipped)
    if (fs::path(s.path).filename() == name) return s.reason;
  return "(not skipped)";
}

inline const Face& face_named(const FaceDataset& dataset, const std::string& name) {
  for (const Face& face : dataset.faces)
    if (fs::path(face.path).filename() == name) return face;
  FAIL("no face named " << name);
  return dataset.faces.front();
}

inline std::string error_of(const fs::path& path, std::string_view format = "auto") {
  try {
    find_faces(path, AgeRanges::skip, format);
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace twinage::test
