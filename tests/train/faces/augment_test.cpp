#include "train/faces/augment.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

using namespace twinage;
using test::GuardedTensor;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes noise(Index side, std::uint64_t seed) {
  Random random(seed);
  Bytes rgb(static_cast<std::size_t>(side * side * 3));
  for (auto& v : rgb) v = static_cast<std::uint8_t>(random.bits() & 0xFF);
  return rgb;
}

Bytes even(Index side, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Bytes rgb(static_cast<std::size_t>(side * side * 3));
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    rgb[i] = r;
    rgb[i + 1] = g;
    rgb[i + 2] = b;
  }
  return rgb;
}

float value_at(ConstView x, Index row, Index column, Index c) {
  return x.pixel(row * x.shape.w + column)[c];
}

float expected_at(const Bytes& rgb, Index side, Index row, Index column, Index c) {
  return (static_cast<float>(rgb[static_cast<std::size_t>((row * side + column) * 3 + c)]) -
          kPixelMean) *
         kPixelScale;
}

// What the tower would see of one face.
void prepare_face(View out, const Bytes& rgb, Index side, const AugmentOptions& options,
                  Random* random) {
  const ImageVariation variation = draw_variation(options, side, out.shape.w, random);
  normalize_images(Context{}, out, rgb.data(), side, &variation);
}

std::vector<float> prepared(const Bytes& rgb, Index side, Index size, const AugmentOptions& options,
                            Random* random) {
  GuardedTensor out({1, size, size, 3});
  prepare_face(out.view(), rgb, side, options, random);
  CHECK(out.guards_intact());
  for (float v : out.values()) REQUIRE(std::isfinite(v));
  return out.values();
}

const AugmentOptions kNone{.flip = false, .crop = false};

}  // namespace

TEST_CASE("without randomness: centre crop, normalised, also into a slice of channels") {
  const Bytes rgb = noise(9, 1);
  for (Index extra : {0, 5}) {
    for (bool mirror : {false, true}) {
      GuardedTensor out({1, 6, 6, 3}, extra);
      const ImageVariation look = look_at_centre(9, 6, 1, mirror);
      normalize_images(Context{}, out.view(), rgb.data(), 9, &look);
      CHECK(out.guards_intact());
      for (Index y = 0; y < 6; ++y)
        for (Index x = 0; x < 6; ++x)
          for (Index c = 0; c < 3; ++c)
            REQUIRE(value_at(out.view(), y, x, c) ==
                    expected_at(rgb, 9, y + 1, (mirror ? 5 - x : x) + 1, c));
      if (mirror) continue;
      GuardedTensor plain({1, 6, 6, 3}, extra);
      prepare_face(plain.view(), rgb, 9, {}, nullptr);
      CHECK(test::bitwise_equal(plain.view(), out.view()));
    }
  }
}

TEST_CASE("a look from closer or farther shows less or more of the middle, mirrored or not") {
  // Brightness grows by 4 a pixel to the right.
  const Index side = 40, size = 20;
  Bytes rgb;
  for (Index i = 0; i < side * side; ++i)
    rgb.insert(rgb.end(), 3, static_cast<std::uint8_t>(4 * (i % side) + 20));
  for (const float zoom : {0.8F, 1.25F})
    for (bool mirror : {false, true}) {
      GuardedTensor out({1, size, size, 3});
      const ImageVariation look = look_at_centre(side, size, zoom, mirror);
      normalize_images(Context{}, out.view(), rgb.data(), side, &look);
      for (Index x = 0; x < size; ++x) {
        const float from_middle = (static_cast<float>(x) - 9.5F) * (mirror ? -zoom : zoom);
        const float shown = value_at(out.view(), 7, x, 1) / kPixelScale + kPixelMean;
        CHECK(std::fabs(shown - (4 * (19.5F + from_middle) + 20)) < 1e-2F);
      }
    }
}

TEST_CASE("random crops are crops, and all of them occur; half are flipped") {
  const Bytes rgb = noise(6, 2);
  int seen[3][3] = {}, flips = 0;
  for (std::uint64_t trial = 0; trial < 400; ++trial) {
    Random random(3, trial);
    const std::vector<float> got = prepared(rgb, 6, 4, {}, &random);
    int matches = 0;
    for (Index top = 0; top < 3; ++top)
      for (Index left = 0; left < 3; ++left)
        for (int flip = 0; flip < 2; ++flip) {
          bool same = true;
          for (Index i = 0; i < 4 * 4 * 3; ++i) {
            const Index y = i / 12, x = i / 3 % 4, c = i % 3;
            const float want = expected_at(rgb, 6, top + y, left + (flip != 0 ? 3 - x : x), c);
            same = same && got[static_cast<std::size_t>(i)] == want;
          }
          if (!same) continue;
          ++matches;
          ++seen[top][left];
          flips += flip;
        }
    REQUIRE(matches == 1);
  }
  for (auto& row : seen)
    for (int count : row) CHECK(count > 15);
  CHECK(flips > 150);
  CHECK(flips < 250);
}

TEST_CASE("resampling with next to no zoom or rotation gives the plain copy") {
  const Bytes rgb = noise(10, 4);
  AugmentOptions barely = kNone;
  SUBCASE("zoom") {
    barely.zoom = 1e-6F;
  }
  SUBCASE("rotation") {
    barely.rotation = 1e-5F;
  }
  Random random(6);
  const std::vector<float> got = prepared(rgb, 10, 8, barely, &random);
  const std::vector<float> want = prepared(rgb, 10, 8, kNone, nullptr);
  for (std::size_t i = 0; i < got.size(); ++i) REQUIRE(std::fabs(got[i] - want[i]) < 1e-3F);
}

TEST_CASE("rotation and zoom move pixels where the formula says") {
  // A plane a + b x + c y is resampled exactly by bilinear interpolation.
  const Index side = 40, size = 20;
  Bytes rgb(static_cast<std::size_t>(side * side * 3));
  for (Index y = 0; y < side; ++y)
    for (Index x = 0; x < side; ++x) {
      std::uint8_t* p = &rgb[static_cast<std::size_t>((y * side + x) * 3)];
      p[0] = static_cast<std::uint8_t>(4 * x + 20);
      p[1] = static_cast<std::uint8_t>(4 * y + 20);
      p[2] = 7;
    }
  AugmentOptions options = kNone;
  options.rotation = 20;
  options.zoom = 0.2F;
  bool turned = false, scaled = false;
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    Random random(8, trial);
    const std::vector<float> got = prepared(rgb, side, size, options, &random);
    const auto source = [&](Index y, Index x, std::size_t c) {  // the position that (y, x) shows
      const auto at = static_cast<std::size_t>((y * size + x) * 3) + c;
      return (got[at] / kPixelScale + kPixelMean - 20) / 4;
    };
    // One step to the right in the output is (cosine, sine) in the source; down is (-sine, cosine).
    const float cosine = source(10, 11, 0) - source(10, 10, 0);
    const float sine = source(10, 11, 1) - source(10, 10, 1);
    const float scale = std::hypot(cosine, sine), angle = std::atan2(sine, cosine);
    CHECK(scale > 0.79F);
    CHECK(scale < 1.21F);
    CHECK(std::fabs(angle) < 20.1F * 3.14159265F / 180);
    turned = turned || std::fabs(angle) > 0.1F;
    scaled = scaled || std::fabs(scale - 1) > 0.1F;
    for (Index y = 0; y < size; ++y)
      for (Index x = 0; x < size; ++x) {
        const float dx = static_cast<float>(x) - 9.5F, dy = static_cast<float>(y) - 9.5F;
        REQUIRE(std::fabs(source(y, x, 0) - (19.5F + cosine * dx - sine * dy)) < 2e-3F);
        REQUIRE(std::fabs(source(y, x, 1) - (19.5F + sine * dx + cosine * dy)) < 2e-3F);
        const auto at = static_cast<std::size_t>((y * size + x) * 3) + 2;
        REQUIRE(std::fabs(got[at] - (7 - kPixelMean) * kPixelScale) < 1e-5F);
      }
  }
  CHECK(turned);
  CHECK(scaled);
}

TEST_CASE("brightness, contrast and saturation: range, meaning, and cut off at black and white") {
  const auto one = [](const AugmentOptions& options, Bytes rgb, std::uint64_t trial) {
    Random random(11, trial);
    std::vector<float> values = prepared(rgb, 2, 1, options, &random);
    for (float& v : values) v = v / kPixelScale + kPixelMean;
    return values;
  };
  AugmentOptions brightness = kNone, contrast = kNone, saturation = kNone;
  brightness.brightness = 0.2F;
  contrast.contrast = 0.5F;
  saturation.saturation = 0.8F;
  float darkest = 255, brightest = 0;
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    const auto b = one(brightness, even(2, 100, 120, 250), trial);
    CHECK(b[1] - b[0] == doctest::Approx(20));
    CHECK(b[2] <= 255);
    darkest = std::min(darkest, b[0]);
    brightest = std::max(brightest, b[0]);

    const auto c = one(contrast, even(2, 107, 147, 127), trial);
    CHECK(c[0] + c[1] == doctest::Approx(254 + 0.0 * c[2]).epsilon(0.01));
    CHECK(c[1] - c[0] >= 19.9F);
    CHECK(c[1] - c[0] <= 60.1F);

    const auto s = one(saturation, even(2, 140, 120, 100), trial);
    const float grey = 0.299F * 140 + 0.587F * 120 + 0.114F * 100;
    CHECK(0.299F * s[0] + 0.587F * s[1] + 0.114F * s[2] == doctest::Approx(grey));
    CHECK(s[0] - s[2] >= 0.2F * 40 - 0.1F);
    CHECK(s[0] - s[2] <= 1.8F * 40 + 0.1F);
  }
  CHECK(darkest >= 49 - 0.1F);
  CHECK(darkest < 65);
  CHECK(brightest <= 151.1F);
  CHECK(brightest > 135);
}

TEST_CASE("the table and the row-wise path agree") {
  const Bytes rgb = noise(12, 5);
  AugmentOptions table = kNone, rows = kNone;
  table.brightness = rows.brightness = 0.3F;
  table.contrast = rows.contrast = 0.4F;
  rows.saturation = 1e-7F;  // next to none, but not none
  Random first(2), second(2);
  const std::vector<float> a = prepared(rgb, 12, 9, table, &first);
  const std::vector<float> b = prepared(rgb, 12, 9, rows, &second);
  for (std::size_t i = 0; i < a.size(); ++i) REQUIRE(std::fabs(a[i] - b[i]) < 1e-4F);
}

TEST_CASE("erasing fills one rectangle with the mean grey, as often as asked") {
  const Index size = 24;
  const Bytes white = even(size, 255, 255, 255);
  AugmentOptions options = kNone;
  options.erase = 0.5F;
  int erased = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    Random random(4, trial);
    const std::vector<float> got = prepared(white, size, size, options, &random);
    Index zeros = 0, top = size, bottom = -1, left = size, right = -1;
    for (Index y = 0; y < size; ++y)
      for (Index x = 0; x < size; ++x) {
        if (got[static_cast<std::size_t>((y * size + x) * 3)] != 0) continue;
        ++zeros;
        top = std::min(top, y), bottom = std::max(bottom, y);
        left = std::min(left, x), right = std::max(right, x);
      }
    if (zeros == 0) continue;
    ++erased;
    REQUIRE(zeros == (bottom - top + 1) * (right - left + 1));
    CHECK(zeros >= size * size / 80);
    CHECK(zeros <= size * size / 4);
  }
  CHECK(erased > 70);
  CHECK(erased < 130);
}

TEST_CASE("one pixel, every variation at once") {
  AugmentOptions all{
      .zoom = 0.5F, .rotation = 90, .brightness = 1, .contrast = 1, .saturation = 1, .erase = 1};
  for (Index side : {1, 2, 7}) {
    Random random(9);
    prepared(noise(side, 1), side, 1, all, &random);
    prepared(noise(side, 1), side, side, all, &random);
  }
}
