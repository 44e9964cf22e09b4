// CSV lists of faces: one row for each picture.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// What the columns of a list are called, and how its words are to be understood.
struct Spelling {
  std::string_view path = "path", subject = "subject";
  std::string (*race)(std::string_view word) = nullptr;    // as a manifest has it; null: as written
  std::string (*person)(std::string_view word) = nullptr;  // likewise
  // Whether it came with the pictures: then their paths do not lead out of its folder, and their
  // extensions may be in another case.
  bool official = false;
  std::string_view age = "age";
  std::string_view before = {}, after = {};  // of the list's word for a path, to make it one
};

// Adds what the list names to dataset.faces and dataset.skipped, in the order of its rows, and
// counts gender words that are none. Separators are commas, semicolons or tabs. The header names
// `path` (or, as FairFace does, `file`) and `age` (train/faces/labels.h says which are understood)
// and optionally, in any order, `gender` (0, 1, m, f, male, female, man, woman, boy, girl), `race`
// (0 to 4, or any word) and `subject`. In these any other word, and an empty field, means unknown.
// Relative paths start at the list's folder; where there is no such file, \ is read as /. Throws
// Error when it has no usable header or is no CSV.
void read_manifest(FaceDataset& dataset, const std::filesystem::path& path, AgeRanges ranges,
                   const Spelling& spelling = {});

// The same of the list's text; `path` stands in errors, its folder is where paths start.
void read_manifest(FaceDataset& dataset, std::string_view text, const std::filesystem::path& path,
                   AgeRanges ranges, const Spelling& spelling = {});

}  // namespace twinage
