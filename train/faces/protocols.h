// How a data set is split for an experiment. Published figures are of one protocol or another, and
// compare only within it (docs/08-from-distance-to-age.md).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/enum_names.h"
#include "train/faces/face_dataset.h"
#include "train/faces/split_file.h"

namespace twinage {

enum class Protocol { random, person, folds, person_folds, leave_one_out, official, utkface_21_60 };
template <>
struct EnumNames<Protocol> {
  static constexpr std::string_view what = "protocol";
  static constexpr EnumName<Protocol> table[] = {
      {Protocol::random, "random"},
      {Protocol::person, "person"},
      {Protocol::folds, "folds"},
      {Protocol::person_folds, "person-folds"},
      {Protocol::leave_one_out, "leave-one-out"},
      {Protocol::official, "official"},
      {Protocol::utkface_21_60, "utkface-21-60"},
  };
};

// A line of help each.
std::string protocol_help();

struct ProtocolOptions {
  Protocol protocol = Protocol::random;
  std::uint64_t seed = 1;
  double share = 0.2;    // of the faces, to test with
  double val_share = 0;  // of the faces, to validate on
  Index folds = 5;
};

// Which of the options have a meaning for the protocol.
struct ProtocolUses {
  bool seed = false, shares = false, folds = false;
};
ProtocolUses uses_of(Protocol protocol);

struct PartSummary {
  std::string name, note;
  Index faces = 0, persons = 0;  // copies count once
  float youngest = 0, oldest = 0;
  double mean_age = 0;
};

struct MadeSplit {
  SplitFile file;
  std::vector<PartSummary> parts;
  Index copies = 0;          // pictures beyond the first of each content, in the part of the first
  Index left_out = 0;        // faces that are in no part
  Index on_both_sides = 0;   // of these: pictures that another part of an official split has, too
  Index persons_shared = 0;  // persons who are in more than one part
  bool persons_known = false;
};

// Splits faces whose contents have been read, copies not yet merged, found in `data`; for
// Protocol::official with OfficialParts::all. All copies of a picture go the same way; those that
// are left out everywhere (train/faces/copies.h) are in no part. A function of the faces and the
// options.
//   random         pictures, whoever is on them
//   person         about the shares, but no person on two sides; a face of nobody stands for itself
//   folds          equal numbers of pictures; person-folds: no person in two folds
//   leave-one-out  a fold for each person; faces of nobody are in none
//   official       as the data set comes. A picture that a later part (train < val < test) has,
//   too,
//                  is left out of the earlier one
//   utkface-21-60  random, of ages 21 to 60
// Throws Error when a part would be empty, persons are not known, there is no official split, or
// utkface-21-60 is asked of another data set.
MadeSplit make_split(const FaceDataset& faces, const std::filesystem::path& data,
                     const ProtocolOptions& options);

}  // namespace twinage
