// The layouts in which faces come. A format is one file of this folder and one row of formats.cpp:
// how it is recognised, what it reads, what its genders are called, what it lacks.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

struct FindOptions {
  AgeRanges ranges = AgeRanges::skip;
  OfficialParts parts = OfficialParts::named;
};

struct FaceFormat {
  std::string_view name;     // of --format
  std::string_view layout;   // one line of help
  std::string_view genders;  // how it writes them; sets that swap 0 and 1 have been mistaken
  std::string_view lacks;    // labels that it never has, "genders, races, persons"; empty: none
  // Whether it is this format, from names alone (of a file also its first line). Throws nothing for
  // a path that exists.
  bool (*looks_like)(const std::filesystem::path& path);
  // All faces, in any order, and what was found but cannot be used. May be called on what
  // looks_like() refuses: throws Error, saying what is missing.
  FaceDataset (*find)(const std::filesystem::path& path, const FindOptions& options);
};

std::span<const FaceFormat> face_formats();
std::vector<std::string> face_format_names();  // with "auto" before them

// The format of that name; of "auto" the one that recognises the path. Throws UsageError for a name
// that there is not, Error when no format recognises the path or more than one does. A file that
// none recognises is left to the manifest, whose errors say what its header lacks.
const FaceFormat& face_format(std::string_view name, const std::filesystem::path& path);

// The layouts in a line, for errors.
std::string layouts_text();

}  // namespace twinage
