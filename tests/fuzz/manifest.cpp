// A manifest of faces. Files named "exe" exist (the program itself, by way of /proc/self), others
// do not. Must hold: Error for the whole manifest, or for each row a face with labels within their
// ranges or a reason; no row is lost. Where there is a NUL, its two sides are also the two lists of
// MegaAge-Asian.
#include "train/faces/formats/manifest.h"

#include "tests/fuzz/target.h"
#include "train/faces/csv.h"
#include "train/faces/formats/megaage_asian.h"

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

}  // namespace

TWINAGE_FUZZ_TARGET(manifest, input) {
  std::string_view text = text_of(input);
  if (text.empty()) return;
  const AgeRanges ranges = (text[0] & 1) != 0 ? AgeRanges::middle : AgeRanges::skip;
  text.remove_prefix(1);
  check_two_lists(text, ranges);
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
