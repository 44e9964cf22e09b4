#include "train/faces/photo/crop_geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace twinage {
namespace {

constexpr Index kMaxSide = 8192;
constexpr double kDegrees = 180 / std::numbers::pi;

// Adds the colour at a point of the photograph.
void add_colour(float rgb[3], const Image& photo, Spot spot) {
  // Pixel i has its colour at i + 0.5.
  const double x = std::clamp(spot.x - 0.5, 0.0, static_cast<double>(photo.width - 1));
  const double y = std::clamp(spot.y - 0.5, 0.0, static_cast<double>(photo.height - 1));
  const auto x0 = static_cast<Index>(x), y0 = static_cast<Index>(y);
  const Index x1 = std::min(x0 + 1, photo.width - 1), y1 = std::min(y0 + 1, photo.height - 1);
  const auto fx = static_cast<float>(x - static_cast<double>(x0));
  const auto fy = static_cast<float>(y - static_cast<double>(y0));
  const std::uint8_t *p00 = photo.pixel(y0, x0), *p01 = photo.pixel(y0, x1),
                     *p10 = photo.pixel(y1, x0), *p11 = photo.pixel(y1, x1);
  for (int c = 0; c < 3; ++c)
    rgb[c] += (1 - fy) * ((1 - fx) * p00[c] + fx * p01[c]) + fy * ((1 - fx) * p10[c] + fx * p11[c]);
}

}  // namespace

double Similarity::scale() const {
  return std::hypot(a, b);
}
double Similarity::turn() const {
  return std::atan2(b, a) * kDegrees;
}

Similarity similarity_of(Spot crop_left, Spot crop_right, Spot photo_left, Spot photo_right) {
  const double u = crop_right.x - crop_left.x, v = crop_right.y - crop_left.y;
  const double x = photo_right.x - photo_left.x, y = photo_right.y - photo_left.y;
  const double square = u * u + v * v;
  require(square > 0, "[crop] two points of a crop are one: ({}, {})", crop_left.x, crop_left.y);
  // (x + iy) = (a + ib)(u + iv)
  Similarity s{(x * u + y * v) / square, (y * u - x * v) / square, 0, 0};
  const Spot moved = s.at(crop_left);
  s.x = photo_left.x - moved.x;
  s.y = photo_left.y - moved.y;
  return s;
}

Similarity crop_of(const PhotoFace& face, const CropRule& rule, Index side) {
  const auto pixels = static_cast<double>(side);
  const auto in_crop = [&](Spot share) { return Spot{share.x * pixels, share.y * pixels}; };
  if (face.eyes)
    return similarity_of(in_crop(rule.eyes.left), in_crop(rule.eyes.right), face.eyes->left,
                         face.eyes->right);
  const double scale = face.side / (rule.box * pixels);
  Similarity s{scale * std::cos(face.turn / kDegrees), scale * std::sin(face.turn / kDegrees), 0,
               0};
  const Spot moved = s.at(in_crop(rule.centre));
  s.x = face.centre.x - moved.x;
  s.y = face.centre.y - moved.y;
  return s;
}

Image cut(const Image& photo, const Similarity& crop, Index side) {
  return cut(photo, crop, side, side);
}

Image cut(const Image& photo, const Similarity& crop, Index width, Index height) {
  require(std::min(width, height) >= 1 && std::max(width, height) <= kMaxSide,
          "[crop] expected sides of 1 to {} pixels, got {} x {}", kMaxSide, width, height);
  require(photo.width >= 1 && photo.height >= 1, "[crop] the photograph is empty");
  Image image{width, height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
  const auto points = std::max(Index{1}, static_cast<Index>(std::ceil(crop.scale() - 1e-9)));
  const auto n = static_cast<double>(points);
  for (Index v = 0; v < height; ++v)
    for (Index u = 0; u < width; ++u) {
      float rgb[3] = {};
      for (Index i = 0; i < points; ++i)
        for (Index j = 0; j < points; ++j)
          add_colour(rgb, photo,
                     crop.at({static_cast<double>(u) + (static_cast<double>(j) + 0.5) / n,
                              static_cast<double>(v) + (static_cast<double>(i) + 0.5) / n}));
      for (int c = 0; c < 3; ++c)
        image.pixel(v, u)[c] =
            static_cast<std::uint8_t>(rgb[c] / static_cast<float>(points * points) + 0.5F);
    }
  return image;
}

double share_outside(const Image& photo, const Similarity& crop, Index side) {
  constexpr Index kPoints = 64;
  const double step = static_cast<double>(side) / kPoints;
  Index outside = 0;
  for (Index i = 0; i < kPoints; ++i)
    for (Index j = 0; j < kPoints; ++j) {
      const Spot spot =
          crop.at({(static_cast<double>(j) + 0.5) * step, (static_cast<double>(i) + 0.5) * step});
      outside += spot.x < 0 || spot.y < 0 || spot.x > static_cast<double>(photo.width) ||
                 spot.y > static_cast<double>(photo.height);
    }
  return static_cast<double>(outside) / (kPoints * kPoints);
}

}  // namespace twinage
