#include "train/model/bootstrap.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/random.h"

using namespace twinage;

TEST_CASE("a bootstrap interval is as wide as the theory of means says") {
  Random random(2);
  std::vector<double> values;
  double sum = 0, squares = 0;
  for (int i = 0; i < 400; ++i) {
    values.push_back(5 + 2 * random.normal());
    sum += values.back();
    squares += values.back() * values.back();
  }
  const double mean = sum / 400, deviation = std::sqrt(squares / 400 - mean * mean);
  const auto spread = bootstrap_of_means(std::span(&values, 1))[0];
  REQUIRE(spread);
  CHECK(spread->low == doctest::Approx(mean - 1.96 * deviation / 20).epsilon(0.01));
  CHECK(spread->high == doctest::Approx(mean + 1.96 * deviation / 20).epsilon(0.01));
}

TEST_CASE("columns are drawn together, so that equal columns have equal intervals") {
  const std::vector<std::vector<double>> columns{{1, 5, 2, 9}, {1, 5, 2, 9}, {2, 2, 2, 2}};
  const auto spreads = bootstrap_of_means(columns);
  REQUIRE(spreads.size() == 3);
  CHECK(spreads[0]->low == spreads[1]->low);
  CHECK(spreads[0]->high == spreads[1]->high);
  CHECK(spreads[0]->low < spreads[0]->high);
  CHECK(spreads[2]->low == 2);
  CHECK(spreads[2]->high == 2);
}

TEST_CASE("of one face nothing is said, of columns of other lengths neither") {
  const std::vector<std::vector<double>> one{{3}}, unequal{{1, 2}, {1}};
  CHECK_FALSE(bootstrap_of_means(one)[0].has_value());
  CHECK_THROWS_AS(bootstrap_of_means(unequal), Error);
  CHECK(bootstrap_of_means({}).empty());
}
