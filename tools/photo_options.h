// The options of commands that look for faces in photographs.
#pragma once
#include <algorithm>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "core/processors.h"
#include "train/faces/photo/photo_faces.h"

namespace twinage {

struct PhotoOptions {
  FinderOptions finder;

  void add_to(CLI::App& command) {
    command
        .add_option("--landmarks", finder.detector.landmarks,
                    "dlib's five points of a face, a file: crops by the eyes")
        ->type_name("FILE");
    command
        .add_option("--turn", finder.most_turn,
                    "look for faces that lean to a side by up to so many degrees")
        ->check(CLI::Range(0, 180))
        ->capture_default_str();
    command
        .add_option("--detail", finder.detail,
                    "pixels of the photograph's longer side when it is looked at: a face has to "
                    "have 80 of them")
        ->check(CLI::Range(100, 8192))
        ->capture_default_str();
    command
        .add_option("--confidence", finder.confidence,
                    "of the detector, from which on it is a face")
        ->check(CLI::Range(0.0, 10.0))
        ->capture_default_str();
  }
  FinderOptions with_threads(int threads) const {
    FinderOptions options = finder;
    options.threads = threads > 0 ? threads : hardware_threads();
    return options;
  }
};

// Of a face: what is written beside it. Angles in degrees clockwise, lengths in the photograph's
// pixels as it is looked at, upright.
inline constexpr const char* kPhotoColumns =
    "box_x,box_y,box_side,turn,scale,confidence,beyond,remark";

}  // namespace twinage
