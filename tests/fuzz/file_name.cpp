// Names of the files of all formats that have labels in them. Must hold: labels within their ranges
// or a reason; labels that were read, written as a name, read as the same; no name is one of two
// formats' (but of MORPH's, which looks only at what stands before the first dot).
#include "tests/fuzz/target.h"
#include "train/faces/formats/afad.h"
#include "train/faces/formats/agedb.h"
#include "train/faces/formats/all_age_faces.h"
#include "train/faces/formats/fg_net.h"
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

// Reads a name that `write` makes of what was read as the same. Returns whether it was read.
template <class Write>
bool check_name(Reason (*read)(Face&, std::string_view), std::string_view name, Write&& write) {
  Face face, again;
  if (const Reason reason = read(face, name)) {
    must(!reason->empty(), "a name that is refused has a reason");
    return false;
  }
  must(face.age >= 0 && face.age <= kMaxAge, "an age is 0 to 120");
  must(face.gender >= -1 && face.gender < kGenders, "a gender is -1, 0 or 1");
  const std::string written = write(face);
  must(!read(again, written) && again.age == face.age && again.gender == face.gender &&
           again.subject == face.subject,
       "the labels of " + written);
  return true;
}

void check_others(std::string_view name) {
  int read = 0;
  read += check_name(read_fg_net_name, name, [](const Face& face) {
    return fmt::format("{:0>3}a{:02}x.jpg", face.subject, face.age);
  });
  read += check_name(read_all_age_faces_name, name, [](const Face& face) {
    return fmt::format("{}A{:02}.jpg", face.gender == 0 ? "07381" : "07380", face.age);
  });
  read += check_name(read_agedb_name, name, [](const Face& face) {
    return fmt::format("0_{}_{}_{}.jpg", face.subject, face.age, face.gender == 0 ? 'm' : 'f');
  });
  Face face;
  read += !read_utkface_name(face, name);
  must(read <= 1, "a name has one meaning");
  const Reason reason = read_afad_path(face, name);
  must(reason ? !reason->empty() : face.age >= 0 && face.age <= kMaxAge,
       "a path has an age or a reason");
}

}  // namespace

TWINAGE_FUZZ_TARGET(file_name, input) {
  const std::string_view name = text_of(input);
  check_others(name);
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
