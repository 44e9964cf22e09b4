#include "train/faces/synthetic_face.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "train/faces/synthetic/portrait.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

// Streams of random numbers of one face.
enum class Purpose : std::uint64_t { label, person, photo, count };

Random random_of(std::uint64_t seed, std::uint64_t index, Purpose purpose) {
  constexpr auto kPurposes = static_cast<std::uint64_t>(Purpose::count);
  return Random(seed, index * kPurposes + static_cast<std::uint64_t>(purpose));
}

// Shares and spreads of the ages, after the public sets: many young adults, some children, few old.
double draw_age(Random& random) {
  const double group = random.uniform();
  for (;;) {
    double age;
    if (group < 0.17) {
      const double u = random.uniform();
      age = 16 * u * (0.4 + 0.6 * u);  // more infants than schoolchildren
    } else if (group < 0.65) {
      age = 28 + 7.5 * random.normal();
    } else if (group < 0.89) {
      age = 47 + 10 * random.normal();
    } else {
      age = 70 + 9 * random.normal();
    }
    if (age >= 0 && age < 96 && (group < 0.17 || age >= 14)) return age;
  }
}

constexpr int kSheetAges[] = {1, 4, 9, 15, 22, 32, 42, 53, 65, 80};

}  // namespace

SyntheticFace synthetic_face(std::uint64_t seed, std::uint64_t index) {
  Random random = random_of(seed, index, Purpose::label);
  SyntheticFace face{seed, index, 0, 0};
  face.gender = random.chance(0.48) ? 1 : 0;
  face.age = static_cast<int>(draw_age(random));
  return face;
}

SyntheticPicture render_synthetic_face(const SyntheticFace& face, Index side) {
  require(face.age >= 0 && face.age <= 100 && (face.gender == 0 || face.gender == 1),
          "[synthetic_face] expected an age of 0 to 100 and gender 0 or 1, got {} and {}", face.age,
          face.gender);
  require(side >= kMinSyntheticSide && side <= kMaxSyntheticSide,
          "[synthetic_face] expected a side of {} to {} pixels, got {}", kMinSyntheticSide,
          kMaxSyntheticSide, side);
  using namespace synthetic;
  Random person = random_of(face.seed, face.index, Purpose::person);
  Random camera = random_of(face.seed, face.index, Purpose::photo);
  // A label of 30 means an age anywhere in the year after the birthday; half a year in is typical.
  const Traits traits = draw_traits(static_cast<float>(face.age) + 0.5F, face.gender, person);
  const Photo photo = draw_photo(camera);
  Canvas canvas(side, traits, photo);
  paint_background(canvas, photo);
  paint_back_hair(canvas, traits);
  paint_body(canvas, traits);
  paint_ears(canvas, traits);
  paint_head(canvas, traits, photo);
  paint_mouth(canvas, traits);
  paint_eyes(canvas, traits, photo);
  paint_brows(canvas, traits);
  paint_beard(canvas, traits);
  paint_hair(canvas, traits);
  paint_glasses(canvas, traits);
  return {develop(canvas, photo), photo.jpeg_quality};
}

std::string synthetic_face_name(const SyntheticFace& face) {
  // A second for every face from 2000 on, in months of 28 days; the millisecond is the seed's.
  const std::uint64_t s = face.index, day = s / 86400;
  return fmt::format("{}_{}_4_{:04}{:02}{:02}{:02}{:02}{:02}{:03}.jpg.chip.jpg", face.age,
                     face.gender, 2000 + day / 336, day / 28 % 12 + 1, day % 28 + 1, s / 3600 % 24,
                     s / 60 % 60, s % 60, face.seed % 1000);
}

void write_synthetic_faces(const SyntheticFolder& what,
                           const std::function<void(Index, Index)>& progress) {
  require(what.count >= 1, "[synth] expected a count of at least 1, got {}", what.count);
  std::error_code error;
  fs::create_directories(what.folder, error);
  require(fs::is_directory(what.folder), "[synth] cannot make the folder {}: {}",
          what.folder.string(), error ? error.message() : "a file of that name is in the way");
  require(fs::is_empty(what.folder, error) && !error,
          "[synth] {} is not empty: name another folder, or delete it first", what.folder.string());
  // Rounds of a few faces a thread, so that progress is told from this thread.
  const Index round = std::max<Index>(16, 8 * what.threads);
  for (Index first = 0; first < what.count; first += round) {
    const Index faces = std::min(round, what.count - first);
    parallel_for(what.threads, faces, [&](Index task, int) {
      const auto face = synthetic_face(what.seed, static_cast<std::uint64_t>(first + task));
      const auto picture = render_synthetic_face(face, what.side);
      write_jpeg(what.folder / synthetic_face_name(face), picture.image, picture.jpeg_quality);
    });
    if (progress) progress(first + faces, what.count);
  }
}

Image synthetic_contact_sheet(std::uint64_t seed, Index rows, Index side, int threads) {
  constexpr Index kColumns = std::ssize(kSheetAges);
  require(rows >= 1 && rows <= 100, "[synth] expected 1 to 100 rows of a sheet, got {}", rows);
  Image sheet{kColumns * side, rows * side, {}};
  sheet.rgb.resize(static_cast<std::size_t>(sheet.width * sheet.height * 3));
  parallel_for(threads, rows * kColumns, [&](Index task, int) {
    const Index row = task / kColumns, column = task % kColumns;
    const SyntheticFace face{seed, static_cast<std::uint64_t>(row), kSheetAges[column],
                             static_cast<int>(row % 2)};
    const Image image = render_synthetic_face(face, side).image;
    for (Index y = 0; y < side; ++y)
      std::memcpy(sheet.pixel(row * side + y, column * side), image.pixel(y, 0),
                  static_cast<std::size_t>(side * 3));
  });
  return sheet;
}

}  // namespace twinage
