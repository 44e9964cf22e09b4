// Where faces are: dlib's detector of frontal faces (histograms of oriented gradients; Felzenszwalb
// 2010, King 2015), whose model is part of the library, and, from a file, its five points of a
// face. A build without dlib has none and says so.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/faces/photo/crop_geometry.h"

namespace twinage {

struct DetectorOptions {
  std::string landmarks;  // a file of dlib's shape_predictor with 5 points; empty: none
};

// A box in the picture that was looked at, upright.
struct FaceBox {
  Spot centre;
  double side = 0;        // pixels
  double confidence = 0;  // of the detector's own unit
};

// The smallest side of a box: the detector's window.
constexpr double kDetectorWindow = 80;  // pixels

bool has_face_detector();

// Not for several threads at once: each has one of its own.
class FaceDetector {
 public:
  // Throws Error where this build has no dlib, and for a file that holds no five points.
  explicit FaceDetector(const DetectorOptions& options);
  ~FaceDetector();
  FaceDetector(const FaceDetector&) = delete;
  FaceDetector& operator=(const FaceDetector&) = delete;

  // Boxes of at least kDetectorWindow, those above `confidence`, the surest first. Looks at
  // brightness alone.
  std::vector<FaceBox> find(const Image& picture, double confidence);
  // Of the face in a box; nothing without a file of landmarks.
  std::optional<Eyes> eyes(const Image& picture, const FaceBox& box);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace twinage
