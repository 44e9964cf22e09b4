// Names of UTKFace's and MORPH's files. Must hold: labels within their ranges or a reason; labels
// that were read, written as a name, read as the same.
#include "tests/fuzz/target.h"
#include "train/faces/formats/morph.h"
#include "train/faces/formats/utkface.h"
#include "train/faces/pictures/image.h"

using namespace twinage;
using namespace twinage::fuzz;

namespace {

void check_morph(std::string_view name) {
  Face face, again;
  if (const Reason reason = read_morph_name(face, name)) {
    must(!reason->empty(), "a name that is refused has a reason");
    return;
  }
  must(face.age >= 0 && face.age <= kMaxAge, "an age is 0 to 120");
  must(face.gender == 0 || face.gender == 1, "a gender is 0 or 1");
  must(!face.subject.empty(), "MORPH knows the person");
  const std::string written =
      fmt::format("{}_0{}{}.JPG", face.subject, face.gender == 0 ? 'M' : 'F', face.age);
  must(!read_morph_name(again, written) && again.age == face.age && again.gender == face.gender &&
           again.subject == face.subject,
       "the labels of " + written);
}

}  // namespace

TWINAGE_FUZZ_TARGET(file_name, input) {
  const std::string_view name = text_of(input);
  has_picture_extension(std::filesystem::path(name));
  check_morph(name);
  Face face;
  if (const Reason reason = read_utkface_name(face, name)) {
    must(!reason->empty(), "a name that is refused has a reason");
    return;
  }
  must(face.age >= 0 && face.age <= kMaxAge, "an age is 0 to 120");
  must(face.gender == 0 || face.gender == 1, "a gender is 0 or 1");
  must(face.race >= 0 && face.race < kRaces, "a race is 0 to 4");
  Face again;
  const std::string written =
      fmt::format("{}_{}_{}_x.jpg", static_cast<int>(face.age), face.gender, face.race);
  must(!read_utkface_name(again, written) && again.age == face.age && again.gender == face.gender &&
           again.race == face.race,
       "the labels of " + written);
}
