// Which face of a data set is in which part, as a text file that can be kept and shared: the part,
// a tab, and the path from the data set's folder, sorted by path.
//
//   # twinage split 1
//   # protocol person, seed 1, share 0.2
//   # part train: 2 faces, fingerprint 60303ae22b998861
//   # part test: 1 faces, fingerprint 9f86d081884c7d65
//   train	anna/2019.jpg
//   test	ben.jpg
//   train	carl.jpg
//
// Parts are train, val and test, or folds: 0, 1, 2 ... each of which is left out in turn. Only the
// first line must be there; what stands in the others that begin with # is checked where it is.
// The same faces give the same bytes on every machine (train/faces/protocols.h makes them).
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"
#include "train/faces/face_dataset.h"

namespace twinage {

inline constexpr std::string_view kSplitTitle = "# twinage split 1";

struct SplitPart {
  std::string name;
  Index faces = 0;                           // listed
  std::optional<std::uint64_t> fingerprint;  // of its faces (train/faces/split.h); none: unchecked
  std::string note = {};                     // "person 7"
};

struct SplitFile {
  std::string name = {};                            // of the file, for errors
  std::string protocol = {};                        // what made it, for people
  std::vector<SplitPart> parts = {};                // train, val, test, or 0, 1, 2 ...
  std::map<std::string, std::string> part_of = {};  // path from the data set's folder -> part

  bool has(std::string_view part) const;
  Index folds() const;  // 0 of a split into train, val and test
};

// Throws Error when a path holds a line break, which no line can.
std::string to_text(const SplitFile& split);

// Throws Error, with the line, for a text that is no split, names a path twice, mixes folds with
// other parts, lacks a fold, or has not the number of faces that it says.
SplitFile parse_split(std::string_view text, const std::string& name);
SplitFile read_split(const std::filesystem::path& path);

// How a face is named in a split of `data`, a folder or a list: its path from there, with /.
std::string name_in_split(const std::filesystem::path& data, const std::string& path);

// Of the faces found in `data` (with OfficialParts::all) those that the split lists in one of these
// parts; Face::part says in which. Reads the pictures' contents, on `threads` threads. Throws
// Error, in a line, when faces are not there or, by the fingerprint, have changed.
FaceDataset faces_of_split(const FaceDataset& found, const std::filesystem::path& data,
                           const SplitFile& split, std::span<const std::string> parts, int threads,
                           const std::function<void(Index, Index)>& progress = {});

// What a run sees of a split. Of folds, `fold` is none of its business: it is measured afterwards.
struct SplitSides {
  std::vector<std::string> train, val, others;
};
// Throws UsageError when there is no such fold, or no part to train on. `fold` is 0 without folds.
SplitSides sides_of(const SplitFile& split, Index fold);

}  // namespace twinage
