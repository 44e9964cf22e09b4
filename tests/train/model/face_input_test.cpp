#include "train/model/face_input.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/random.h"
#include "tests/support/test_device.h"
#include "train/faces/augment.h"

using namespace twinage;

namespace {

constexpr Index kBatch = 3, kSide = 11, kSize = 8;

struct Faces {
  std::vector<std::uint8_t> pixels;
  std::vector<ImageVariation> variations;
};

Faces random_faces(std::uint64_t seed) {
  Faces faces;
  Random random(seed);
  for (Index i = 0; i < kBatch * kSide * kSide * 3; ++i)
    faces.pixels.push_back(static_cast<std::uint8_t>(random.bits() & 0xFF));
  const AugmentOptions options{.zoom = 0.1F, .rotation = 10, .contrast = 0.2F, .erase = 0.5F};
  for (Index i = 0; i < kBatch; ++i)
    faces.variations.push_back(draw_variation(options, kSide, kSize, &random));
  return faces;
}

std::vector<float> by_definition(const Faces& faces) {
  Tensor images({kBatch, kSize, kSize, 3});
  naive::normalize_images(Context{}, images.view(), faces.pixels.data(), kSide,
                          faces.variations.data());
  return {images.data(), images.data() + images.size()};
}

void check_images(const FaceInput& input, Device device, const Faces& faces) {
  const std::vector<float> want = by_definition(faces);
  std::vector<float> got(want.size());
  copy_bytes(got.data(), Device::cpu, input.images().data, device, got.size() * sizeof(float));
  for (std::size_t i = 0; i < want.size(); ++i) REQUIRE(std::fabs(got[i] - want[i]) <= 1e-4F);
}

}  // namespace

TEST_CASE("face input: a device makes of the bytes what the definition makes of them") {
  for (const Device device : test::all_devices()) {
    CAPTURE(to_string(device));
    const Engine engine({device, 2});
    FaceInput input(engine, kBatch, kSide, kSize);
    for (std::uint64_t seed : {1U, 2U}) {
      const Faces faces = random_faces(seed);
      input.send(faces.pixels, faces.variations);
      input.receive();
      input.normalize();
      check_images(input, device, faces);
    }
  }
}

TEST_CASE("face input: on the way is the next batch, computed is the one that was received") {
  const Faces first = random_faces(3), second = random_faces(4);
  for (const Device device : test::all_devices()) {
    CAPTURE(to_string(device));
    const Engine engine({device, 1});
    FaceInput input(engine, kBatch, kSide, kSize);
    input.send(first.pixels, first.variations);
    input.receive();
    input.send(second.pixels, second.variations);
    input.normalize();
    check_images(input, device, first);
    input.receive();
    input.normalize();
    check_images(input, device, second);
  }
}

TEST_CASE("face input: other numbers of faces or bytes, and nothing sent, are errors") {
  const Engine engine({Device::cpu, 1});
  FaceInput input(engine, kBatch, kSide, kSize);
  CHECK_THROWS_AS(input.receive(), Error);
  Faces faces = random_faces(5);
  faces.variations.pop_back();
  CHECK_THROWS_AS(input.send(faces.pixels, faces.variations), Error);
  faces = random_faces(5);
  faces.pixels.pop_back();
  CHECK_THROWS_AS(input.send(faces.pixels, faces.variations), Error);
}
