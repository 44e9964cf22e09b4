// The picture while it is painted, and the brushes.
//
// Everything is painted per sample (one or, in small pictures, several make a pixel) in linear
// light. The face is a relief: brushes add heights and colours of skin, and one pass of light over
// both shades nose, cheeks and wrinkles alike, wherever the lamp stands.
#pragma once
#include <vector>

#include "core/shape.h"
#include "train/faces/synthetic/colour.h"
#include "train/faces/synthetic/traits.h"

namespace twinage::synthetic {

constexpr Index kMinSamples = 200;  // a side: coarser strands and lines would break up

struct Point {
  float x = 0, y = 0;
};
struct Box {
  float x0, y0, x1, y1;
};

// An ellipse that fades out towards its edge, turned by `angle` (radians).
struct Blob {
  Point centre;
  float rx, ry, angle = 0;
};
// A line from a to b whose middle lies `sag` to the left of the straight way; it thins out towards
// both ends.
struct Stroke {
  Point a, b;
  float sag, width;
};

class Canvas {
 public:
  Canvas(Index pixels, const Traits& traits, const Photo& photo);

  const Index pixels, samples;  // a side of the picture; samples a side of a pixel
  const Index side;             // pixels * samples
  float unit;                   // samples in a face unit: 1 / unit is the width of a soft edge
  std::vector<Rgb> picture;
  std::vector<Rgb> skin;      // what the head would look like in flat white light
  std::vector<float> relief;  // face units towards the viewer
  std::vector<float> depth;   // face units inside the outline of the head, negative outside

  // Where a sample lies: on the head as seen (outline, hair), and on the face as if seen from the
  // front (features).
  Point head(Index row, Index column) const;
  Point feature(Point head) const;

  // f(sample, point) for the samples of a box of the head, or of a box of the face.
  template <class F>
  void each(Box box, F&& f) const {
    const Span s = span(box);
    for (Index row = s.row0; row < s.row1; ++row)
      for (Index column = s.column0; column < s.column1; ++column)
        f(row * side + column, head(row, column));
  }
  template <class F>
  void each_feature(Box box, F&& f) const {
    const Span s = feature_span(box);
    for (Index row = s.row0; row < s.row1; ++row)
      for (Index column = s.column0; column < s.column1; ++column) {
        const Index i = row * side + column;
        f(i, features_[static_cast<std::size_t>(i)]);
      }
  }
  // f(sample, weight in (0, 1]).
  template <class F>
  void each_of(const Blob& blob, F&& f) const;
  template <class F>
  void each_of(const Stroke& stroke, F&& f) const;

  template <class Shape>
  void raise(const Shape& shape, float height) {
    each_of(shape, [&](Index i, float w) { relief[static_cast<std::size_t>(i)] += height * w; });
  }
  template <class Shape>
  void tint_skin(const Shape& shape, Rgb factor, float strength) {
    each_of(shape, [&](Index i, float w) {
      Rgb& s = skin[static_cast<std::size_t>(i)];
      s = mix(s, s * factor, strength * w);
    });
  }
  void cover(Index i, Rgb colour, float alpha) {
    Rgb& p = picture[static_cast<std::size_t>(i)];
    p = mix(p, colour, alpha);
  }

  // Light on a surface with this normal (any length). Skin lets red light around corners.
  Rgb lit(float nx, float ny, float nz, bool is_skin = false) const;
  // 1 inside, 0 outside, soft over one pixel; `distance` in face units, positive inside.
  float edge(float distance) const {
    return clamp01(distance * unit / static_cast<float>(samples) + 0.5F);
  }

 private:
  struct Span {
    Index row0, row1, column0, column1;
  };
  Span span(Box box) const;
  Span feature_span(Box box) const;
  Span span_of(const Point* corners, int count, float pad) const;
  Point seen(Point feature) const;  // the inverse of feature()

  const Photo& photo_;
  float radius_, cos_yaw_, sin_yaw_, cos_roll_, sin_roll_, centre_x_, centre_y_;
  std::vector<Point> features_;
};

inline Box box_of(const Blob& b) {
  const float r = b.angle == 0 ? 0 : std::max(b.rx, b.ry);
  const float rx = std::max(b.rx, r), ry = std::max(b.ry, r);
  return {b.centre.x - rx, b.centre.y - ry, b.centre.x + rx, b.centre.y + ry};
}

inline Box box_of(const Stroke& s) {
  const float pad = s.width + std::abs(s.sag);
  return {std::min(s.a.x, s.b.x) - pad, std::min(s.a.y, s.b.y) - pad, std::max(s.a.x, s.b.x) + pad,
          std::max(s.a.y, s.b.y) + pad};
}

inline Blob mirrored(Blob b) {
  return {{-b.centre.x, b.centre.y}, b.rx, b.ry, -b.angle};
}
inline Stroke mirrored(Stroke s) {
  return {{-s.a.x, s.a.y}, {-s.b.x, s.b.y}, -s.sag, s.width};
}
// The same on either half of the face: side is -1 or +1, shapes are given for +1.
template <class Shape>
Shape on_side(float side, const Shape& shape) {
  return side > 0 ? shape : mirrored(shape);
}

template <class F>
void Canvas::each_of(const Blob& blob, F&& f) const {
  const float c = std::cos(blob.angle), s = std::sin(blob.angle);
  each_feature(box_of(blob), [&](Index i, Point p) {
    const float dx = p.x - blob.centre.x, dy = p.y - blob.centre.y;
    const float u = (c * dx + s * dy) / blob.rx, v = (c * dy - s * dx) / blob.ry;
    const float weight = bell(u * u + v * v);
    if (weight > 0) f(i, weight);
  });
}

template <class F>
void Canvas::each_of(const Stroke& stroke, F&& f) const {
  const float ax = stroke.b.x - stroke.a.x, ay = stroke.b.y - stroke.a.y;
  const float length2 = std::max(1e-8F, ax * ax + ay * ay), length = std::sqrt(length2);
  each_feature(box_of(stroke), [&](Index i, Point p) {
    const float dx = p.x - stroke.a.x, dy = p.y - stroke.a.y;
    const float along = (dx * ax + dy * ay) / length2;
    const float arch = 4 * along * (1 - along);  // 0 at the ends, 1 in the middle
    if (arch <= 0) return;
    const float across = (dx * ay - dy * ax) / length - stroke.sag * arch;
    const float t = across / stroke.width;
    const float weight = bell(t * t) * std::min(1.0F, 2 * arch);
    if (weight > 0) f(i, weight);
  });
}

}  // namespace twinage::synthetic
