// The part of a report that is about a data set: what it holds, what is wrong with it.
#pragma once
#include <string>
#include <vector>

#include "tools/report/figure.h"
#include "train/faces/face_dataset.h"

namespace twinage {

// Faces by age and gender and by race, copies, conflicting labels, files that were skipped and why.
// `where` names the set.
Section data_section(const FaceDataset& dataset, const std::string& where);

// A page of its own: that section, the sizes of the pictures, and a contact sheet of at most 240
// faces, evenly over their ages. `threads` read them.
Report data_report(const FaceDataset& dataset, const std::string& where, bool pictures,
                   int threads);

}  // namespace twinage
