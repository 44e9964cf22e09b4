#include <numeric>

#include <doctest/doctest.h>

#include "tests/siamese/readouts/example_faces.h"

using namespace twinage;
using namespace twinage::test;

namespace {

float total(const std::vector<float>& votes) {
  return std::accumulate(votes.begin(), votes.end(), 0.0F);
}

}  // namespace

TEST_CASE("votes: what spoke for each whole year, as shares, by hand") {
  // comparison_test.cpp: weights 0.5, 0.512 and 0.128 for 20, 30 and 40 years.
  const Gallery gallery = line_gallery({20, 20, 20, 20, 30, 40, 40});
  Calibration calibration;
  calibration.tau = 1;
  calibration.distances = {0.15F, 1.05F, 2};
  calibration.probabilities = {0.8F, 0.5F, 0.4F};
  const auto votes =
      estimate_one(gallery, calibration, {ReadoutKind::comparison, 1, true}, {2.9F, 0}).votes;
  REQUIRE(votes.size() == 41);
  CHECK(votes[20] == doctest::Approx(0.5 / 1.14).epsilon(0.01));
  CHECK(votes[30] == doctest::Approx(0.512 / 1.14).epsilon(0.01));
  CHECK(votes[40] == doctest::Approx(0.128 / 1.14).epsilon(0.01));
  CHECK(votes[25] == 0);
  CHECK(total(votes) == doctest::Approx(1));
}

TEST_CASE("votes: of knn the neighbours by their weight, of an age head what it says") {
  // knn_test.cpp: weights 1/0.065, 1/0.065 and 1/0.165 for 30, 31 and 32 years.
  const auto near = estimate_one(line_gallery({60, 31, 28, 30, 32}), Calibration(),
                                 {ReadoutKind::knn, 3, true}, {3.05F, 0})
                        .votes;
  REQUIRE(near.size() == 33);
  CHECK(near[30] == doctest::Approx(15.3846 / 36.83).epsilon(1e-4));
  CHECK(near[31] == doctest::Approx(15.3846 / 36.83).epsilon(1e-4));
  CHECK(near[32] == doctest::Approx(6.0606 / 36.83).epsilon(1e-4));
  const Gallery none;
  const Calibration not_calibrated;
  const Tensor head = gaussian_heads({25}, 5);
  const AgeReadout readout(none, not_calibrated, {ReadoutKind::expectation, 1, true});
  const auto said = readout.estimate(TestContext(), {.ages = head.view()}).front().votes;
  REQUIRE(said.size() == 101);
  for (const std::size_t age : {0, 20, 25, 100})
    CHECK(said[age] == doctest::Approx(head.view().pixel(0)[age]).epsilon(1e-5));
}

TEST_CASE("votes: none where nobody asked, and none of a read-out that has no more than a number") {
  const Gallery gallery = line_gallery({20, 30, 40});
  CHECK(estimate_one(gallery, plain_calibration(), {ReadoutKind::comparison, 1}, {3, 0})
            .votes.empty());
  const Gallery none;
  const Calibration not_calibrated;
  const AgeReadout direct(none, not_calibrated, {ReadoutKind::direct, 1, true});
  CHECK(direct.estimate(TestContext(), {.ages = row({37})}).front().votes.empty());
}
