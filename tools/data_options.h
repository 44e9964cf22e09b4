// Where faces are and how they are read: the options of every command that takes a data set.
#pragma once
#include <string>

#include <CLI/CLI.hpp>

#include "train/faces/formats/format.h"

namespace twinage {

struct DataOptions {
  std::string age_ranges = "skip", format = "auto";

  void add_to(CLI::App& command) {
    command.add_option("--age-ranges", age_ranges, "skip ages such as 25-32, or take their middle")
        ->capture_default_str();
    command
        .add_option(
            "--format", format,
            "how the faces are laid out, where it cannot be told ('twinage data --formats')")
        ->check(CLI::IsMember(face_format_names()))
        ->capture_default_str();
  }
  FaceDataset find(const std::string& path, OfficialParts parts = OfficialParts::named) const {
    return find_faces(path, parse<AgeRanges>(age_ranges), format, parts);
  }
};

}  // namespace twinage
