#include "tools/experiments/measure.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "core/tensor.h"
#include "tests/support/temporary_folder.h"
#include "tools/experiments/session.h"

using namespace twinage;

namespace {

Tensor rows(Index width, const std::vector<float>& values) {
  Tensor z(matrix(static_cast<Index>(values.size()) / width, width));
  z.copy_from(values.data(), static_cast<Index>(values.size()));
  return z;
}

}  // namespace

TEST_CASE("the share of neighbours within tau is that counted by hand") {
  // On a line at 0, 1, 3, 7, aged 20, 21, 40, 22. Nearest: of 0 the 1, of 1 the 0, of 3 the 1, of
  // 7 the 3; within 3 years: yes, yes, no, no.
  const Tensor z = rows(1, {0, 1, 3, 7});
  const float ages[] = {20, 21, 40, 22};
  CHECK(neighbours_within(z.view(), ages, 1, 3) == 0.5);
  // Two nearest: {1, 3}, {0, 3}, {1, 0}, {3, 1}: 1 + 1 + 0 + 1 of 8.
  CHECK(neighbours_within(z.view(), ages, 2, 3) == 0.375);
  // All three others, and no more: three pairs of six.
  CHECK(neighbours_within(z.view(), ages, 3, 3) == 0.5);
  CHECK(neighbours_within(z.view(), ages, 10, 3) == 0.5);
  CHECK(pairs_within(ages, 3) == 0.5);
  CHECK(pairs_within(ages, 0) == 0);
}

TEST_CASE("neighbours are of at least two faces") {
  const Tensor z = rows(1, {0});
  const float ages[] = {20};
  CHECK_THROWS_AS(neighbours_within(z.view(), ages, 1, 3), Error);
  CHECK_THROWS_AS(pairs_within(ages, 3), Error);
}

TEST_CASE("references are spread over the ages: the middle of each equal part") {
  const float ages[] = {50, 10, 40, 20, 30, 60};
  CHECK(spread_over_ages(ages, 3) == std::vector<Index>{2, 3, 5});  // 20, 40, 60
  CHECK(spread_over_ages(ages, 1) == std::vector<Index>{2});        // 40: the fourth of six
  CHECK(spread_over_ages(ages, 6) == std::vector<Index>{0, 1, 2, 3, 4, 5});
  CHECK(spread_over_ages(ages, 100).size() == 6);
}

TEST_CASE("a run's curve is its validations: of --val, or of the held-out faces without one") {
  const test::TemporaryFolder folder;
  write_file_atomically(
      folder / "metrics.jsonl",
      "{\"event\":\"step\",\"step\":50,\"seconds\":6,\"loss\":1}\n"
      "{\"event\":\"validation\",\"step\":60,\"seconds\":7,\"held_out\":{\"mae\":9},\"val\":"
      "{\"mae\":8.5}}\n{\"event\":\"validation\",\"step\":120,\"seconds\":15,\"held_out\":{\"mae\":"
      "7}}\n{\"event\":\"step\",\"st");
  const auto curve = curve_of(folder / "metrics.jsonl");
  REQUIRE(curve.size() == 2);
  CHECK(curve[0].step == 60);
  CHECK(curve[0].mae == 8.5);
  CHECK(curve[1].mae == 7);
  CHECK(curve_of(folder / "none").empty());
  TrainConfig config;
  config.steps = 240;
  CHECK(fraction_done(folder / "metrics.jsonl", config) == 0.5);
  config.steps = 0;
  config.minutes = 1;
  CHECK(fraction_done(folder / "metrics.jsonl", config) == 0.25);
  CHECK(fraction_done(folder / "none", config) == 0);
}

TEST_CASE("a run's last words are told without the program's name and what a bar drew before") {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "log", "faces: 60\ntraining [##\r\x1b[K\rtwinage: [x] broke\n\n");
  CHECK(last_line_of(folder / "log") == "[x] broke");
  CHECK(last_line_of(folder / "none") == "");
}
