// Which faces are trained on, and which are kept apart to judge by.
#pragma once
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "core/shape.h"
#include "train/face_dataset.h"

namespace twinage {

struct Split {
  std::vector<Index> training, held_out;  // indices of faces, ascending
};

// About `held_out` faces are drawn at random and kept apart. All faces of one subject go the same
// way, so that nobody is both learnt by heart and used to judge; a face without a subject stands
// for itself. Throws Error when fewer than two faces are left on either side.
Split split_faces(const std::vector<Face>& faces, Index held_out, Random random);

// Takes those faces out of `dataset` whose pictures `others` has, too. Returns how many.
Index remove_common_faces(FaceDataset& dataset, const FaceDataset& others);

// Tells whether a resumed run sees the faces that it began with: of names, ages and genders, in
// order. A data set that was moved as a whole stays the same.
std::uint64_t fingerprint(const std::vector<Face>& faces);

}  // namespace twinage
