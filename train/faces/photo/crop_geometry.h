// How a face is cut out of a photograph: a similarity, that is, a turn, a scale and a shift.
//
//   x = a u - b v + x0,   y = b u + a v + y0        (u, v) in the crop, (x, y) in the photograph
//
// in pixels, x to the right and y downwards, the first pixel covering 0 to 1. Its scale is
// sqrt(a^2 + b^2) pixels of the photograph for one of the crop; its turn, atan2(b, a), is
// clockwise as one looks at the picture.
#pragma once
#include <optional>

#include "train/faces/pictures/image.h"

namespace twinage {

struct Spot {
  double x = 0, y = 0;
};

struct Similarity {
  double a = 1, b = 0, x = 0, y = 0;

  Spot at(Spot crop) const { return {a * crop.x - b * crop.y + x, b * crop.x + a * crop.y + y}; }
  double scale() const;
  double turn() const;  // degrees
};

// The one that takes two points to two others. Throws Error where the first two are one.
Similarity similarity_of(Spot crop_left, Spot crop_right, Spot photo_left, Spot photo_right);

struct Eyes {
  Spot left, right;  // as one looks at the picture: the middles between the corners of an eye
};

// A face in a photograph, in its pixels. The box is the detector's: a square from the brows to the
// chin, turned about its centre.
struct PhotoFace {
  Spot centre;
  double side = 0;        // of the box
  double turn = 0;        // degrees clockwise from upright
  double confidence = 0;  // the detector's: above 0; 1 is sure
  std::optional<Eyes> eyes = {};
};

// How faces are cut alike, in sides of the crop: where the box is, or, where they are known, the
// eyes. What is set is UTKFace's crop, dlib's get_face_chip with a padding of 0.2: the eyes as
// dlib's mean face has them, the box as measured (docs/photographs.md).
struct CropRule {
  double box = 0.88;  // side of the box
  Spot centre{0.5, 0.5};
  Eyes eyes{{0.3052, 0.3010}, {0.6806, 0.3009}};
};

// From a crop of `side` pixels to the photograph: by the eyes, where both have them.
Similarity crop_of(const PhotoFace& face, const CropRule& rule, Index side);

// Bilinear, a mean over enough points of each pixel when it shrinks. Beyond the photograph's edge
// its outermost pixels go on. Throws Error for a side out of 1 to 8192.
Image cut(const Image& photo, const Similarity& crop, Index side);
Image cut(const Image& photo, const Similarity& crop, Index width, Index height);

// Which share of the crop lies beyond the photograph, 0 to 1, of 64 x 64 points.
double share_outside(const Image& photo, const Similarity& crop, Index side);

}  // namespace twinage
