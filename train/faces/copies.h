// Pictures that occur twice, and people and pictures that two sets share. Pictures are compared by
// content, because copies have other names: UTKFace holds 293 groups of them, more than half with
// ages that differ.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/shape.h"
#include "train/faces/face_dataset.h"

namespace twinage {

// [ours] Up to this many years between the ages of one picture, their median stands: it is at most
// half of that off, less than two people who guess an age disagree by. Beyond, nobody knows.
constexpr float kMaxAgesApart = 5;

// Each picture is kept once, under the first of its paths, with the median of its ages. A gender or
// race that the copies contradict becomes unknown. Where ages lie more than kMaxAgesApart apart, or
// two persons are named, none is kept: such groups are moved to dataset.skipped. All groups are
// added to dataset.copies. Looks at Face::content; faces that have not been read (0) are no copies.
// Returns which faces stayed, as indices of dataset.faces before, ascending.
std::vector<Index> merge_copies(FaceDataset& dataset);
// The same of faces with one path.
std::vector<Index> merge_rows_of_one_file(FaceDataset& dataset);

// What merge_copies did, in a line; empty when there were no copies.
std::string copies_text(const FaceDataset& dataset);

// Sets Face::content of every face, on `threads` threads, without decoding; files that cannot be
// read move to dataset.skipped. Calls progress(done, total) as FaceStore does.
void read_contents(FaceDataset& dataset, int threads,
                   const std::function<void(Index, Index)>& progress = {});

struct InCommon {
  Index copies = 0;            // faces whose picture the others have
  Index faces_of_persons = 0;  // other faces, of persons whom the others name, too
  Index persons = 0;           // whom both name
  std::vector<Index> stayed;   // the faces that are in neither, ascending
};

// What `dataset` shares with `others`, by Face::content (or path, where it has not been read) and
// by Face::subject.
InCommon in_common(const FaceDataset& dataset, const FaceDataset& others);

// Keeps these faces, ascending indices, and no others.
void keep_faces(FaceDataset& dataset, const std::vector<Index>& stayed);

}  // namespace twinage
