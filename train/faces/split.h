// Which faces are trained on, and which are kept apart to judge by.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/shape.h"
#include "siamese/tasks.h"
#include "train/faces/face_dataset.h"

namespace twinage {

// 0 to count - 1 in a random order (Fisher and Yates).
std::vector<Index> shuffled(Index count, Random random);

struct Split {
  std::vector<Index> training, held_out;  // indices of faces, ascending
};

// How many of `count` faces to keep apart: their share, but where it can be enough to calibrate by.
// [ours] An 80 % interval that is set on n faces holds 80 % of unseen ones give or take 40 /
// sqrt(n) points: 4 for 100 faces. So at least 100, unless that is more than a fifth, which
// training needs more; at most `most`.
Index held_out_count(Index count, double share, Index most);

// About `held_out` faces are drawn at random and kept apart. All faces of one subject go the same
// way, so that nobody is both learnt by heart and used to judge; a face without a subject stands
// for itself. Where subjects are named, those are passed over whose faces would make it more than
// half again as many, and at most half of the people are kept apart, but two where training still
// keeps three fifths of the faces; if that leaves no two faces, the smallest of those passed over
// is taken. Throws Error when fewer than two faces are left on either side.
Split split_faces(const std::vector<Face>& faces, Index held_out, Random random);

// Tells whether a resumed run sees the faces that it began with: of names, ages, genders, subjects
// and the pictures' contents, in order. A data set that was moved as a whole stays the same.
std::uint64_t fingerprint(const std::vector<Face>& faces);

// What may go wrong with these faces for a network of these heads, a line each, and what to do: one
// gender, ages that lie close together, mostly one person, very few faces. Throws Error for what
// cannot work: one age.
std::vector<std::string> concerns(const std::vector<Face>& faces,
                                  const std::vector<Index>& training, const Heads& heads);

// How many of the faces teach the gender: the labelled ones, or 0 when they are all of one gender.
Index gender_labels(const std::vector<Face>& faces, const std::vector<Index>& training);

}  // namespace twinage
