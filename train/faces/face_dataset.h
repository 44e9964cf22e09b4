// A set of faces: where each picture is and what is known about it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "siamese/tasks.h"
#include "train/faces/labels.h"

namespace twinage {

struct Face {
  std::string path;
  float age = 0;              // years
  std::int32_t gender = -1;   // 0 male, 1 female, -1 unknown
  std::int32_t race = -1;     // index of FaceDataset::race_names; -1 unknown
  std::string subject;        // the person, if known
  std::uint64_t content = 0;  // content_hash of the file; 0 until the file has been read
  std::string part = {};      // of the data set's official split, or of a split file; else empty
  // What the file holds, where there is no file: `path` is then only a name.
  std::shared_ptr<const std::vector<std::byte>> picture = {};
};

struct Skipped {
  std::string path;        // the file; manifest:line where a row names none
  std::string reason;      // without the path, so that equal reasons can be counted
  std::string where = {};  // manifest:line of the row that names the file; empty in a folder
};

// "path (manifest:line): reason", of a reason that may name the path already.
std::string description(const Skipped& skipped);

// Pictures of equal content, also under other names, or rows of one picture.
struct Copies {
  std::vector<std::string> paths;  // the first is the face that is kept; sorted, at least two
  std::vector<float> ages;         // years, of each
  std::vector<std::int32_t> genders;
  std::uint64_t content = 0;  // Face::content
  bool left_out = false;      // all of them: their ages or persons contradict each other

  bool ages_differ() const;
  bool genders_differ() const;  // among the known ones
};

struct FaceDataset {
  std::string format = {};            // FaceFormat::name
  std::vector<Face> faces = {};       // sorted by path
  std::vector<Skipped> skipped = {};  // what was found but cannot be used, and why; sorted by path
  std::vector<Copies> copies = {};    // what was merged (train/faces/copies.h); sorted by path
  // What Face::race counts: UTKFace's five, then a manifest's own words as they come.
  std::vector<std::string> race_names = {"White", "Black", "Asian", "Indian", "Other"};
  // Words of a manifest's gender column that name none, "" for an empty field: how many rows.
  std::map<std::string, std::int64_t> unknown_genders = {};
};

constexpr float kMaxAge = 120;  // years; labels beyond are skipped and counted

// Of Face::gender and Face::race; "unknown" for -1.
std::string_view gender_name(std::int32_t gender);
std::string race_name(const FaceDataset& dataset, std::int32_t race);
constexpr std::int32_t kRaces = 5;  // of UTKFace

// Which of "genders", "races" and "persons" no face has.
std::vector<std::string> lacking(const FaceDataset& dataset);

// Of a data set that comes with a split: the part that a path names (of the whole set the one to
// train on), or every part that lies under the path, with Face::part.
enum class OfficialParts { named, all };

// Finds the faces of a folder or a list, in one of the layouts of train/faces/formats/format.h:
// the one of that name, or with "auto" the one that recognises the path. Rows of one picture are
// merged as copies are. Only names and labels are read, not pictures. Throws UsageError for a name
// that there is not; Error when no format recognises the path, or two do, and when there is no
// usable face: empty folder, no such file, missing columns, every picture skipped.
FaceDataset find_faces(const std::filesystem::path& path, AgeRanges ranges = AgeRanges::skip,
                       std::string_view format = "auto",
                       OfficialParts parts = OfficialParts::named);

}  // namespace twinage
