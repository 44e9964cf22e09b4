#include "kernels/normalize_images/normalize_images.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

SharedVector<std::uint8_t> noise(Index images, Index side, std::uint64_t seed) {
  Random random(seed);
  SharedVector<std::uint8_t> rgb(static_cast<std::size_t>(images * side * side * 3));
  for (std::uint8_t& v : rgb) v = static_cast<std::uint8_t>(random.bits() & 0xFF);
  return rgb;
}

// One of each kind: plain, flipped, coloured (with and without saturation, beyond black and
// white), turned and zoomed (also beyond the picture), erased, all at once.
SharedVector<ImageVariation> some_variations(Index side, Index size) {
  const auto middle = static_cast<float>(side) / 2;
  const Index slack = side - size, part = (size + 1) / 2;
  ImageVariation turned{.resample = true,
                        .centre_y = middle,
                        .centre_x = middle + 0.75F,
                        .cosine = 0.9F,
                        .sine = -0.3F};
  ImageVariation beyond{
      .resample = true, .centre_y = 0.2F, .centre_x = middle, .cosine = 1.7F, .sine = 1.1F};
  ImageVariation all = turned;
  all.flip = true;
  all.brightness = -0.1F;
  all.contrast = 1.4F;
  all.saturation = 0.3F;
  all.erase_height = all.erase_width = part;
  return {{},
          {.flip = true, .top = slack, .left = slack / 2},
          {.left = slack, .brightness = 0.3F, .contrast = 0.6F},
          {.top = slack / 2, .brightness = -0.4F, .contrast = 1.5F, .saturation = 1.8F},
          {.flip = true, .saturation = 0},
          turned,
          beyond,
          {.erase_top = size - part, .erase_left = 0, .erase_height = part, .erase_width = 1},
          all};
}

constexpr Index kImages = 9;

struct Case {
  Index side, size, extra = 0;
};

TEST_CASE("normalize_images: equals naive, into slices of channels too") {
  const TestContext ctx;
  for (const Case& c : {Case{1, 1}, Case{7, 7, 2}, Case{9, 4, 5}, Case{24, 20}}) {
    CAPTURE(c.side);
    const auto rgb = noise(kImages, c.side, 1);
    const auto variations = some_variations(c.side, c.size);
    GuardedTensor y({kImages, c.size, c.size, 3}, c.extra), want({kImages, c.size, c.size, 3});
    naive::normalize_images(ctx, want.view(), rgb.data(), c.side, variations.data());
    normalize_images(ctx, y.view(), rgb.data(), c.side, variations.data());
    CHECK(y.guards_intact());
    // Positions of up to 50 pixels in float32 (4e-6 off) between bytes that differ by up to 255.
    CHECK(largest_error(y.view(), want.view()) <= 1e-4);
    for (Index n = 0; n < 5; ++n)  // a few roundings of values up to 500, / 64
      CHECK(largest_error(y.view().images(n, 1), want.view().images(n, 1)) <= 3e-6);
  }
}

TEST_CASE("normalize_images: the formulas on numbers") {
  const TestContext ctx;
  // Two pictures of 2 x 2 pixels, each of one colour but the first pixel.
  SharedVector<std::uint8_t> rgb(24, 100);
  rgb[0] = 255, rgb[1] = 0, rgb[2] = 30;
  const SharedVector<ImageVariation> variations = {
      {.flip = true},
      {.brightness = 0.2F, .contrast = 2, .erase_top = 1, .erase_height = 1, .erase_width = 2}};
  for (const auto run : {naive::normalize_images, normalize_images}) {
    GuardedTensor y({2, 2, 2, 3});
    run(ctx, y.view(), rgb.data(), 2, variations.data());
    const auto at = [&](Index pixel, Index c) { return y.view().pixel(pixel)[c]; };
    const float plain = (100 - 127.5F) / 64;
    CHECK(at(0, 0) == plain);  // flipped: the first pixel is now the second
    CHECK(at(1, 0) == 127.5F / 64);
    CHECK(at(1, 1) == -127.5F / 64);
    CHECK(at(1, 2) == -97.5F / 64);
    CHECK(at(3, 1) == plain);
    for (Index c = 0; c < 3; ++c) {
      // (100 - 127.5) * 2 + 127.5 + 51 = 123.5
      CHECK(std::fabs(at(4, c) - (123.5F - 127.5F) / 64) <= 1e-6);
      CHECK(at(6, c) == 0);
      CHECK(at(7, c) == 0);
    }
  }
}

TEST_CASE("normalize_images: a crop outside throws on cpu; on a device the image is NaN") {
  const TestContext ctx;
  const auto rgb = noise(2, 5, 2);
  for (const ImageVariation& wrong :
       {ImageVariation{.top = 2}, ImageVariation{.left = -1}, ImageVariation{.left = 2}}) {
    const SharedVector<ImageVariation> variations = {{}, wrong};
    GuardedTensor y({2, 4, 4, 3});
    if (test_device() == Device::cpu) {
      CHECK_THROWS_AS(normalize_images(ctx, y.view(), rgb.data(), 5, variations.data()), Error);
      for (const float value : y.values()) CHECK(std::isnan(value));  // nothing was written
      continue;
    }
    normalize_images(ctx, y.view(), rgb.data(), 5, variations.data());
    CHECK(y.guards_intact());
    for (Index p = 0; p < 32; ++p)
      for (Index c = 0; c < 3; ++c) CHECK(std::isnan(y.view().pixel(p)[c]) == (p >= 16));
  }
}

TEST_CASE("normalize_images: shapes that do not fit throw, no images are fine") {
  const TestContext ctx;
  const auto rgb = noise(1, 4, 3);
  const SharedVector<ImageVariation> plain(1);
  GuardedTensor grey({1, 4, 4, 1}), larger({1, 5, 5, 3}), oblong({1, 4, 3, 3}), none({0, 4, 4, 3});
  for (GuardedTensor* y : {&grey, &larger, &oblong})
    CHECK_THROWS_AS(normalize_images(ctx, y->view(), rgb.data(), 4, plain.data()), Error);
  normalize_images(ctx, none.view(), rgb.data(), 4, plain.data());
}

}  // namespace
}  // namespace twinage
