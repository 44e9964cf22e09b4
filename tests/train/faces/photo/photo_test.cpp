// Faces that Twinage draws, found by the detector and cut out.
#include <chrono>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "train/faces/photo/crop_record.h"
#include "train/faces/photo/photo_faces.h"
#include "train/faces/synthetic_face.h"

using namespace twinage;
using twinage::test::TemporaryFolder;

namespace {

Image drawn(std::uint64_t index, Index side) {
  SyntheticFace face = synthetic_face(5, index);
  face.age = 30;
  return render_synthetic_face(face, side).image;
}

// A drawn face of `side` pixels, turned, in the middle of a grey picture.
Image scene(Index width, Index height, Index side, double degrees) {
  const Image face = drawn(2, 400);
  const double scale = 400 / static_cast<double>(side), radians = degrees * std::acos(-1.0) / 180;
  Similarity back{scale * std::cos(radians), -scale * std::sin(radians), 0, 0};
  const Spot moved = back.at({0.5 * static_cast<double>(width), 0.5 * static_cast<double>(height)});
  back.x = 200 - moved.x;
  back.y = 200 - moved.y;
  Image photo{width, height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), 128)};
  const Index reach = side * 3 / 4;
  for (Index y = std::max(Index{0}, height / 2 - reach); y < std::min(height, height / 2 + reach);
       ++y)
    for (Index x = std::max(Index{0}, width / 2 - reach); x < std::min(width, width / 2 + reach);
         ++x) {
      const Spot at = back.at({static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5});
      if (at.x < 0 || at.y < 0 || at.x >= 400 || at.y >= 400) continue;
      for (int c = 0; c < 3; ++c)
        photo.pixel(y, x)[c] = face.pixel(static_cast<Index>(at.y), static_cast<Index>(at.x))[c];
    }
  return photo;
}

Face in_memory(std::vector<std::byte> bytes) {
  Face face;
  face.path = "photo.jpg";
  face.picture = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return face;
}

// The JPEG of a camera that was held on its side, and what it notes in Exif.
std::vector<std::byte> with_orientation(const std::vector<std::byte>& jpeg, char orientation) {
  const std::string exif{
      "\xFF\xE1\x00\x22"
      "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
      29};
  std::string segment = exif + orientation + std::string("\0\0\0\0\0\0", 6);
  segment.resize(2 + 0x22, '\0');
  std::vector<std::byte> all(jpeg.begin(), jpeg.begin() + 2);
  for (const char c : segment) all.push_back(static_cast<std::byte>(c));
  all.insert(all.end(), jpeg.begin() + 2, jpeg.end());
  return all;
}

Image turned_left(const Image& image) {
  Image turned{image.height, image.width, std::vector<std::uint8_t>(image.rgb.size())};
  for (Index y = 0; y < image.height; ++y)
    for (Index x = 0; x < image.width; ++x)
      std::copy_n(image.pixel(y, x), 3, turned.pixel(image.width - 1 - x, y));
  return turned;
}

}  // namespace

TEST_CASE("photo: a build without a detector says what to install" *
          doctest::skip(has_face_detector())) {
  CHECK_THROWS_WITH_AS(FaceDetector{{}}, doctest::Contains("libdlib-dev"), Error);
}

TEST_SUITE("detector" * doctest::skip(!has_face_detector())) {
  TEST_CASE("photo: a face is found where it is, and as it leans") {
    FinderOptions options;
    options.detail = 800;
    for (const double degrees : {0.0, 35.0, -35.0}) {
      CAPTURE(degrees);
      FaceFinder finder(options);
      const auto faces = finder.find(scene(800, 600, 260, degrees));
      REQUIRE(faces.size() == 1);
      CHECK(std::hypot(faces[0].centre.x - 400, faces[0].centre.y - 300) < 45);
      CHECK(std::fabs(faces[0].side - 165) < 45);
      CHECK(std::fabs(faces[0].turn - degrees) < 16);  // a step of turns
    }
  }

  TEST_CASE("photo: nothing is found in a grey picture, in one pixel, and in what is too small") {
    FaceFinder finder({});
    CHECK(finder.find(Image{1, 1, {1, 2, 3}}).empty());
    CHECK(finder.find(Image{900, 700, std::vector<std::uint8_t>(900 * 700 * 3, 90)}).empty());
    CHECK(finder.find(scene(1600, 900, 40, 0)).empty());
  }

  TEST_CASE("photo: any number of threads finds the same") {
    FinderOptions options;
    options.detail = 500;
    const Image photo = scene(500, 400, 220, 20);
    FaceFinder one(options);
    options.threads = 3;
    FaceFinder three(options);
    const auto a = one.find(photo), b = three.find(photo);
    REQUIRE(a.size() == 1);
    REQUIRE(b.size() == 1);
    CHECK(a[0].centre.x == b[0].centre.x);
    CHECK(a[0].turn == b[0].turn);
    CHECK(a[0].confidence == b[0].confidence);
  }

  TEST_CASE("photo: what a phone notes of how it was held is undone before looking") {
    FinderOptions options;
    options.detail = 500;
    options.most_turn = 0;
    PhotoCropper cropper(options, {}, 100);
    const Image photo = scene(500, 300, 220, 0);
    const std::vector<std::byte> lying = encode_jpeg(turned_left(photo), 95);
    CHECK(cropper.crop(in_memory(lying)).faces.empty());
    const PhotoFaces upright = cropper.crop(in_memory(with_orientation(lying, 6)));
    REQUIRE(upright.faces.size() == 1);
    CHECK(std::fabs(upright.faces[0].face.centre.x - 250) < 40);
  }

  TEST_CASE("photo: 50 megapixels are looked at small, and cut from all of them") {
    FinderOptions options;
    options.detail = 800;
    options.most_turn = 0;
    FaceFinder finder(options);
    const Image photo = scene(8192, 6144, 2600, 0);
    const auto start = std::chrono::steady_clock::now();
    const auto faces = finder.find(photo);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    REQUIRE(faces.size() == 1);
    CHECK(std::fabs(faces[0].centre.x - 4096) < 450);
    CHECK(took.count() < 60);  // where all pixels are looked at, it is minutes
    const Similarity crop = crop_of(faces[0], {}, 200);
    CHECK(crop.scale() > 5);
    CHECK(cut(photo, crop, 200).rgb.size() == 200 * 200 * 3);
  }

  TEST_CASE("photo: a file that is none has a fault, and the next goes on") {
    PhotoCropper cropper({}, {}, 100);
    CHECK(cropper.crop(in_memory({std::byte{1}, std::byte{2}})).fault != "");
    Face gone;
    gone.path = "gone.jpg";
    CHECK(cropper.crop(gone).fault != "");
  }

  TEST_CASE("photo: a record tells crops that are wider or shifted, and not its own") {
    TemporaryFolder folder;
    std::vector<Face> faces;
    for (std::uint64_t i = 0; i < 110; ++i)
      faces.push_back(in_memory(encode_jpeg(drawn(i, 100), 90)));
    const CropRecord record = measure_crops(faces, 1000, {}, 2);
    CHECK(record.looked_at == 110);
    REQUIRE(record.found >= kFacesForCropLimits);
    CHECK(record.box.mean > 0.5);
    CHECK(record.box.mean < 0.8);
    CHECK(std::fabs(record.x.mean - 0.5) < 0.05);
    FaceDetector detector({});
    int own = 0, wide = 0, shifted = 0;
    const auto warned = [&](const Image& image, double margin, double shift) {
      CropRule rule{1 / margin, {0.5 + shift, 0.5}, {}};
      const PhotoFaces whole = PhotoCropper::recrop(in_memory(encode_jpeg(image, 95)), rule, 200);
      const auto place = face_place(decode_image(*whole.faces[0].jpeg, "crop"), detector);
      return place && !unlike_crop(record, *place).empty() ? 1 : 0;
    };
    for (std::uint64_t i = 200; i < 210; ++i) {
      own += warned(drawn(i, 200), 1, 0);
      wide += warned(drawn(i, 200), 1.8, 0);
      shifted += warned(drawn(i, 200), 1, 0.3);
    }
    CHECK(own == 0);
    CHECK(wide >= 8);
    CHECK(shifted >= 8);
  }
}

TEST_CASE("photo: a record is read back as it was, and nonsense is not") {
  CropRecord record;
  record.looked_at = 300;
  record.found = 290;
  record.box = {0.6, 0.7, 0.8};
  record.x = {0.4, 0.5, 0.6};
  record.y = {0.5, 0.55, 0.625};
  record.eyes = Eyes{{0.3, 0.29}, {0.7, 0.32}};
  const CropRecord back = crop_record_from_json(to_json(record), "here");
  CHECK(to_json(back) == to_json(record));
  CHECK(back.rule().centre.y == 0.55);
  CHECK(back.rule().eyes.right.x == 0.7);
  for (const char* bad : {"", "{}", "[1]", "{\"format\":\"twinage-crop-1\"}"})
    CHECK_THROWS_WITH_AS((void)crop_record_from_json(bad, "here"), doctest::Contains("here"),
                         Error);
  std::string swapped = to_json(record);
  swapped.replace(swapped.find("0.6,0.7"), 7, "0.8,0.7");
  CHECK_THROWS_AS((void)crop_record_from_json(swapped, "here"), Error);

  TemporaryFolder folder;
  CHECK(!crop_record_beside(folder.path()));
  write_file_atomically(folder / kCropFile, to_json(record));
  CHECK(crop_record_beside(folder.path())->found == 290);
  write_file_atomically(folder / kCropFile, "no JSON");
  CHECK_THROWS_WITH_AS((void)crop_record_beside(folder.path()), doctest::Contains(kCropFile),
                       Error);
}

TEST_CASE("photo: what is unlike a record is said with numbers; a record of few says nothing") {
  CropRecord record;
  record.looked_at = record.found = 200;
  record.box = {0.6, 0.7, 0.8};
  record.x = record.y = {0.45, 0.5, 0.55};
  CHECK(unlike_crop(record, {0.7, {0.5, 0.5}, {}}) == "");
  CHECK(unlike_crop(record, {0.86, {0.5, 0.5}, {}}) == "");  // a tenth of the box beyond
  CHECK(unlike_crop(record, {0.9, {0.5, 0.5}, {}}).find("90 % of its side") != std::string::npos);
  CHECK(unlike_crop(record, {0.7, {0.5, 0.3}, {}}).find("(50, 30) %") != std::string::npos);
  record.found = 99;
  CHECK(unlike_crop(record, {0.3, {0.5, 0.3}, {}}) == "");
}
