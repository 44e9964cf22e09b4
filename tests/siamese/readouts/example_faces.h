// Faces whose ages are known, as the read-outs see them.
#pragma once
#include <cmath>
#include <utility>
#include <vector>

#include "siamese/readouts/age_readout.h"
#include "tests/support/test_context.h"

namespace twinage::test {

inline std::vector<ReadoutKind> comparing_readouts() {
  std::vector<ReadoutKind> kinds;
  for (const ReadoutRow& row : readout_table())
    if (row.needs.embedding) kinds.push_back(row.kind);
  return kinds;
}

// Faces whose embedding is a line, z = age / 10 in the first of `width` numbers, plus noise in all.
struct Faces {
  Tensor z;
  std::vector<float> ages;
};

inline Faces synthetic_faces(std::uint64_t seed, Index count, Index width, double noise) {
  Random random(seed);
  Faces faces{Tensor(matrix(count, width)), {}};
  for (Index n = 0; n < count; ++n) {
    // Twice as many faces of 20 to 39 as of other ages.
    const double age =
        std::floor(random.chance(0.5) ? random.uniform(20, 40) : random.uniform(0, 90));
    faces.ages.push_back(static_cast<float>(age));
    for (Index c = 0; c < width; ++c)
      faces.z.view().pixel(n)[c] =
          static_cast<float>((c == 0 ? age / 10 : 0) + noise * random.normal());
  }
  return faces;
}

inline Gallery gallery_of(Faces faces) {
  Gallery gallery{std::move(faces.z), std::move(faces.ages), {}};
  gallery.names.assign(gallery.ages.size(), "face.jpg");
  return gallery;
}

inline Gallery line_gallery(const std::vector<float>& ages) {
  Gallery gallery{Tensor(matrix(static_cast<Index>(ages.size()), 2)), ages, {}};
  for (std::size_t i = 0; i < ages.size(); ++i)
    gallery.embeddings.view().pixel(static_cast<Index>(i))[0] = ages[i] / 10;
  return gallery;
}

// P(same class) for z = age / 10: 1 up to 3 years, then less.
inline Calibration plain_calibration() {
  Calibration calibration;
  calibration.distances = {0.35F, 0.65F, 10};
  calibration.probabilities = {1, 0.25F, 0};
  return calibration;
}

inline Calibration calibrated_on(const Faces& faces, float tau = 3) {
  std::vector<float> distances, gaps;
  for (Index a = 0; a < faces.z.shape().n; ++a)
    for (Index b = a + 1; b < faces.z.shape().n; b += 3) {
      double sum = 0;
      for (Index c = 0; c < faces.z.shape().c; ++c) {
        const double x = static_cast<double>(faces.z.view().pixel(a)[c]) -
                         static_cast<double>(faces.z.view().pixel(b)[c]);
        sum += x * x;
      }
      distances.push_back(static_cast<float>(std::sqrt(sum)));
      gaps.push_back(std::fabs(faces.ages[static_cast<std::size_t>(a)] -
                               faces.ages[static_cast<std::size_t>(b)]));
    }
  return calibrate(distances, gaps, tau);
}

inline ConstView row(const std::vector<float>& z) {
  return {z.data(), matrix(1, static_cast<Index>(z.size()))};
}

inline AgeEstimate estimate_one(const Gallery& gallery, const Calibration& calibration,
                                ReadoutOptions options, const std::vector<float>& z) {
  const TestContext ctx;
  return AgeReadout(gallery, calibration, options).estimate(ctx, {.z = row(z)}).front();
}

// P(age) of heads that say a Gaussian about these means, for the ages 0 to 100: matrix(count, 101).
inline Tensor gaussian_heads(const std::vector<double>& means, double deviation) {
  Tensor ages(matrix(static_cast<Index>(means.size()), 101));
  for (std::size_t i = 0; i < means.size(); ++i) {
    std::vector<double> p;
    double total = 0;
    for (int a = 0; a <= 100; ++a) {
      const double x = (a - means[i]) / deviation;
      p.push_back(std::exp(-x * x / 2));
      total += p.back();
    }
    for (std::size_t a = 0; a <= 100; ++a)
      ages.view().pixel(static_cast<Index>(i))[a] = static_cast<float>(p[a] / total);
  }
  return ages;
}

}  // namespace twinage::test
