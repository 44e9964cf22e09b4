// The only source that includes dlib: its templates take the compiler 10 seconds.
#include "train/faces/photo/face_detector.h"

#include "core/error.h"

#ifdef TWINAGE_DLIB
// Debian's dlib is configured for LAPACK, which only parts that are not used here would call: with
// it, every user of this program would have to have it. These two headers are all that include the
// configuration.
#include <dlib/assert.h>
#include <dlib/test_for_odr_violations.h>
#undef DLIB_USE_BLAS
#undef DLIB_USE_LAPACK

#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/image_processing/shape_predictor.h>
#endif

namespace twinage {

#ifdef TWINAGE_DLIB

namespace {

using Grey = dlib::array2d<unsigned char>;

// ITU-R BT.601, as dlib and JPEG have it.
Grey grey_of(const Image& picture) {
  Grey grey(picture.height, picture.width);
  for (Index y = 0; y < picture.height; ++y) {
    const std::uint8_t* rgb = picture.pixel(y, 0);
    for (Index x = 0; x < picture.width; ++x, rgb += 3)
      grey[y][x] =
          static_cast<unsigned char>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
  }
  return grey;
}

Spot middle(const dlib::point& p, const dlib::point& q) {
  // dlib counts pixels by their centres.
  return {0.5 * static_cast<double>(p.x() + q.x()) + 0.5,
          0.5 * static_cast<double>(p.y() + q.y()) + 0.5};
}

}  // namespace

struct FaceDetector::Parts {
  dlib::frontal_face_detector detector = dlib::get_frontal_face_detector();
  std::optional<dlib::shape_predictor> points;
};

bool has_face_detector() {
  return true;
}

FaceDetector::FaceDetector(const DetectorOptions& options) : parts_(std::make_unique<Parts>()) {
  if (options.landmarks.empty()) return;
  try {
    parts_->points.emplace();
    dlib::deserialize(options.landmarks) >> *parts_->points;
  } catch (const std::exception& error) {
    fail("[crop] --landmarks {} cannot be read as dlib's shape predictor: {}", options.landmarks,
         error.what());
  }
  require(parts_->points->num_parts() == 5,
          "[crop] --landmarks {} has {} points, expected the 5 of shape_predictor_5_face_landmarks",
          options.landmarks, parts_->points->num_parts());
}

std::vector<FaceBox> FaceDetector::find(const Image& picture, double confidence) {
  std::vector<dlib::rect_detection> found;
  parts_->detector(grey_of(picture), found, confidence);
  std::vector<FaceBox> boxes;
  for (const dlib::rect_detection& one : found) {
    const dlib::rectangle& r = one.rect;
    boxes.push_back({{0.5 * static_cast<double>(r.left() + r.right() + 1),
                      0.5 * static_cast<double>(r.top() + r.bottom() + 1)},
                     0.5 * static_cast<double>(r.width() + r.height()),
                     one.detection_confidence});
  }
  return boxes;
}

std::optional<Eyes> FaceDetector::eyes(const Image& picture, const FaceBox& box) {
  if (!parts_->points) return std::nullopt;
  const dlib::rectangle rectangle = dlib::centered_rect(
      dlib::point(static_cast<long>(box.centre.x), static_cast<long>(box.centre.y)),
      static_cast<unsigned long>(box.side), static_cast<unsigned long>(box.side));
  const auto shape = (*parts_->points)(grey_of(picture), rectangle);
  // Corners of the eye on the right of the picture, of the one on the left, and the nose.
  return Eyes{middle(shape.part(2), shape.part(3)), middle(shape.part(0), shape.part(1))};
}

#else

struct FaceDetector::Parts {};

bool has_face_detector() {
  return false;
}

FaceDetector::FaceDetector(const DetectorOptions&) {
  fail(
      "[crop] this build cannot look for faces: dlib was not found when it was made. Install "
      "libdlib-dev, or give pictures that are cropped already");
}
std::vector<FaceBox> FaceDetector::find(const Image&, double) {
  return {};
}
std::optional<Eyes> FaceDetector::eyes(const Image&, const FaceBox&) {
  return std::nullopt;
}

#endif

FaceDetector::~FaceDetector() = default;

}  // namespace twinage
