// Faces in photographs of any size, also faces that lean to a side.
//
// The detector knows faces of 80 pixels and more, upright or leaning a little. So it looks at the
// photograph made smaller (or up to twice as large), and at copies of that, turned in steps. What
// it finds at one place at several turns is one face; its turn is the mean of those turns, each
// weighed by the square of the detector's confidence there.
#pragma once
#include <memory>
#include <vector>

#include "train/faces/photo/face_detector.h"

namespace twinage {

struct FinderOptions {
  DetectorOptions detector;
  Index detail = 1600;      // pixels of the longer side of what is looked at
  double most_turn = 45;    // degrees, to either side
  double turn_step = 15;    // degrees
  double confidence = 0.4;  // below it nothing is a face
  int threads = 1;
};

class FaceFinder {
 public:
  explicit FaceFinder(const FinderOptions& options);

  // The largest first. The same for any number of threads.
  std::vector<PhotoFace> find(const Image& photo);

 private:
  // In the pixels of `small`, of which a copy is looked at that is turned back by so many degrees.
  std::vector<PhotoFace> look(const Image& small, double turn, FaceDetector& detector) const;

  FinderOptions options_;
  std::vector<std::unique_ptr<FaceDetector>> detectors_;  // of each thread
};

// Below this side of the box, in pixels of the photograph, there is little to read.
constexpr double kSmallFace = 48;

}  // namespace twinage
