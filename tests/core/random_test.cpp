#include "core/random.h"

#include <doctest/doctest.h>

using namespace twinage;

TEST_CASE("philox gives the known answers of Random123") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) ==
        Philox4{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U});
  CHECK(philox({0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU}, {0xffffffffU, 0xffffffffU}) ==
        Philox4{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU});
  CHECK(philox({0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}, {0xa4093822U, 0x299f31d0U}) ==
        Philox4{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U});
}

TEST_CASE("uniform, below and normal have the right moments") {
  Random random(1, 2);
  const int count = 100000;
  double sum = 0, square = 0, normal = 0, normal_square = 0, below = 0;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform(), g = random.normal();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
    square += u * u;
    normal += g;
    normal_square += g * g;
    const auto b = random.below(7);
    REQUIRE(b < 7);
    below += static_cast<double>(b);
  }
  CHECK(sum / count == doctest::Approx(0.5).epsilon(0.01));
  CHECK(square / count == doctest::Approx(1.0 / 3).epsilon(0.01));
  CHECK(normal / count == doctest::Approx(0).epsilon(0.02));
  CHECK(normal_square / count == doctest::Approx(1).epsilon(0.02));
  CHECK(below / count == doctest::Approx(3).epsilon(0.02));
}

TEST_CASE("streams differ, the same stream repeats") {
  Random a(7, 0), b(7, 1), c(7, 0);
  const auto first = a.bits();
  CHECK(first != b.bits());
  CHECK(first == c.bits());
}
