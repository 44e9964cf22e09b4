#include "train/faces/photo/crop_geometry.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

namespace {

bool near(Spot p, Spot q, double error = 1e-9) {
  return std::hypot(p.x - q.x, p.y - q.y) <= error;
}

// Colours that say where they are, linearly, so that every mean of them is exact.
Image ramp(Index width, Index height) {
  Image image{width, height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      image.pixel(y, x)[0] = static_cast<std::uint8_t>(2 * x);
      image.pixel(y, x)[1] = static_cast<std::uint8_t>(2 * y);
      image.pixel(y, x)[2] = static_cast<std::uint8_t>(x + y);
    }
  return image;
}

}  // namespace

TEST_CASE("crop: a similarity through two points takes them there, and keeps angles") {
  const Spot l{12, 30}, r{47, 33}, pl{410, 220}, pr{380, 300};
  const Similarity s = similarity_of(l, r, pl, pr);
  CHECK(near(s.at(l), pl));
  CHECK(near(s.at(r), pr));
  CHECK(s.scale() == doctest::Approx(std::hypot(30, 80) / std::hypot(35, 3)));
  // What is to the left of the way from l to r stays there.
  const Spot up = s.at({l.x + 3, l.y - 35});
  CHECK(near({up.x - pl.x, up.y - pl.y}, {pr.y - pl.y, -(pr.x - pl.x)}));
  CHECK_THROWS_WITH_AS((void)similarity_of(l, l, pl, pr), doctest::Contains("are one"), Error);
}

TEST_CASE("crop: a box is where the rule wants it, and turned about its middle") {
  PhotoFace face{{500, 300}, 88, 30, 1};
  CropRule rule;
  rule.box = 0.8;
  rule.centre = {0.5, 0.6};
  const Similarity s = crop_of(face, rule, 200);
  CHECK(near(s.at({100, 120}), {500, 300}));
  CHECK(s.scale() == doctest::Approx(88 / 160.0));
  CHECK(s.turn() == doctest::Approx(30));
  // Clockwise: of a head that leans to the right as one looks at it, the crown is to the right.
  CHECK(s.at({100, 0}).x > 500);
  CHECK(s.at({100, 0}).y < 300);
}

TEST_CASE("crop: known eyes decide, whatever the box") {
  PhotoFace face{{1, 1}, 2, 77, 1};
  face.eyes = Eyes{{100, 100}, {160, 180}};
  const CropRule rule;
  const Similarity s = crop_of(face, rule, 100);
  CHECK(near(s.at({30.52, 30.10}), {100, 100}));
  CHECK(near(s.at({68.06, 30.09}), {160, 180}));
}

TEST_CASE("crop: cutting without a turn copies pixels, also at an edge") {
  const Image photo = ramp(60, 50);
  const Image same = cut(photo, {1, 0, 7, 5}, 20);
  for (Index y = 0; y < 20; ++y)
    for (Index x = 0; x < 20; ++x)
      for (int c = 0; c < 3; ++c) REQUIRE(same.pixel(y, x)[c] == photo.pixel(y + 5, x + 7)[c]);
  const Image corner = cut(photo, {1, 0, -10, -10}, 20);  // half of each side lies beyond
  CHECK(corner.pixel(0, 0)[0] == photo.pixel(0, 0)[0]);
  CHECK(corner.pixel(19, 3)[1] == photo.pixel(9, 0)[1]);
  CHECK(corner.pixel(19, 19)[2] == photo.pixel(9, 9)[2]);
  CHECK(share_outside(photo, {1, 0, -10, -10}, 20) == doctest::Approx(0.75));
  CHECK(share_outside(photo, {1, 0, 7, 5}, 20) == 0);
  CHECK_THROWS_AS((void)cut(photo, {}, 0), Error);
  CHECK_THROWS_AS((void)cut(photo, {}, 8193), Error);
}

TEST_CASE("crop: a linear picture stays linear under any turn and scale") {
  const Image photo = ramp(120, 120);
  for (const double scale : {0.4, 1.0, 2.7})
    for (const double degrees : {0.0, 17.0, -40.0, 90.0}) {
      const double radians = degrees * std::acos(-1.0) / 180;
      Similarity s{scale * std::cos(radians), scale * std::sin(radians), 0, 0};
      const Spot middle = s.at({10, 10});
      s.x = 60 - middle.x;
      s.y = 60 - middle.y;
      const Image crop = cut(photo, s, 20);
      for (Index v = 0; v < 20; ++v)
        for (Index u = 0; u < 20; ++u) {
          const Spot at = s.at({static_cast<double>(u) + 0.5, static_cast<double>(v) + 0.5});
          CHECK(std::fabs(crop.pixel(v, u)[0] - 2 * (at.x - 0.5)) <= 0.51);
          CHECK(std::fabs(crop.pixel(v, u)[1] - 2 * (at.y - 0.5)) <= 0.51);
        }
    }
}

TEST_CASE("crop: shrinking is a mean, not a choice of pixels") {
  Image board{64, 64, std::vector<std::uint8_t>(64 * 64 * 3)};
  for (Index y = 0; y < 64; ++y)
    for (Index x = 0; x < 64; ++x)
      for (int c = 0; c < 3; ++c) board.pixel(y, x)[c] = (x + y) % 2 == 0 ? 0 : 200;
  const Image small = cut(board, {4, 0, 0, 0}, 16);
  for (const std::uint8_t value : small.rgb) REQUIRE(value == 100);
}
