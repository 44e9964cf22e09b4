// A manifest of faces. Files named "exe" exist (the program itself, by way of /proc/self), others
// do not. Must hold: Error for the whole manifest, or for each row a face with labels within their
// ranges or a reason; no row is lost. The text is a list of APPA-REAL's and IMDB-WIKI's and a
// split, too; where there is a NUL, its two sides are also the two lists of MegaAge-Asian.
#include "train/faces/formats/manifest.h"

#include "tests/fuzz/target.h"
#include "train/faces/csv.h"
#include "train/faces/formats/appa_real.h"
#include "train/faces/formats/imdb_wiki.h"
#include "train/faces/formats/megaage_asian.h"
#include "train/faces/split_file.h"

using namespace twinage;
using namespace twinage::fuzz;

namespace {

void check_two_lists(std::string_view text, AgeRanges ranges) {
  const std::size_t end = text.find('\0');
  if (end == text.npos) return;
  FaceDataset dataset;
  const MegaAgePart part = {"/proc/self", "names.txt", "ages.txt"};
  if (!answered([&] {
        read_megaage_lists(dataset, text.substr(0, end), text.substr(end + 1), part, ranges);
      }))
    return;
  for (const Face& face : dataset.faces)
    must(face.age >= 0 && face.age <= kMaxAge && face.path.starts_with("/proc/self/"),
         "an age is 0 to 120, a picture in the folder");
  for (const Skipped& skipped : dataset.skipped)
    must(!skipped.reason.empty(), "what is skipped has a reason");
}

void check_other_lists(std::string_view text, AgeRanges ranges) {
  for (const bool appa_real : {true, false}) {
    FaceDataset dataset;
    if (!answered([&] {
          if (appa_real) {
            read_appa_real_list(dataset, text, "/proc/self/gt_avg_test.csv", "test", ranges);
          } else {
            read_imdb_wiki_csv(dataset, text, "/proc/self/wiki.csv");
          }
        }))
      continue;
    for (const Face& face : dataset.faces)
      must(face.age >= 0 && face.age <= kMaxAge && face.gender >= -1 && face.gender < kGenders,
           "an age is 0 to 120, a gender -1, 0 or 1");
    for (const Skipped& skipped : dataset.skipped)
      must(!skipped.reason.empty(), "what is skipped has a reason");
  }
}

void check_split(std::string_view text) {
  SplitFile split;
  if (!answered([&] { split = parse_split(text, "split.txt"); })) return;
  must(!split.parts.empty() && !split.part_of.empty(), "a split has parts and faces");
  std::string written;
  if (!answered([&] { written = to_text(split); })) return;
  const SplitFile again = parse_split(written, "split.txt");
  must(again.part_of == split.part_of && again.folds() == split.folds(),
       "a split that was written reads as the same");
}

}  // namespace

TWINAGE_FUZZ_TARGET(manifest, input) {
  std::string_view text = text_of(input);
  if (text.empty()) return;
  const AgeRanges ranges = (text[0] & 1) != 0 ? AgeRanges::middle : AgeRanges::skip;
  text.remove_prefix(1);
  check_two_lists(text, ranges);
  check_other_lists(text, ranges);
  check_split(text);
  FaceDataset dataset;
  if (!answered([&] { read_manifest(dataset, text, "/proc/self/faces.csv", ranges); })) return;
  const std::vector<CsvRow> rows = parse_csv(text, "faces.csv", separator_of(text));
  must(rows.empty() || dataset.faces.size() + dataset.skipped.size() == rows.size() - 1,
       "every row is a face or skipped");
  for (const Face& face : dataset.faces) {
    must(face.age >= 0 && face.age <= kMaxAge, "an age is 0 to 120");
    must(face.gender >= -1 && face.gender < kGenders, "a gender is -1, 0 or 1");
    must(face.race >= -1 && face.race < static_cast<std::int32_t>(dataset.race_names.size()),
         "a race has a name");
  }
  for (const Skipped& skipped : dataset.skipped)
    must(!skipped.reason.empty() && !description(skipped).empty(), "what is skipped has a reason");
}
