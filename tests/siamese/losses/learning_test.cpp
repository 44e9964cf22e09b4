// Does a loss teach? Points in the plane, with ages, follow its gradient: no network stands
// between.
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/random.h"
#include "siamese/losses/loss.h"
#include "tests/support/test_context.h"

using namespace twinage;
using test::GuardedTensor;
using test::TestContext;

namespace {

// Six ages of a few faces each; within one the gaps are at most 2 years.
const std::vector<float> kYears{5,  5,  6,  7,  20, 20, 21, 22, 35, 36, 36, 37,
                                50, 50, 51, 52, 65, 66, 66, 67, 80, 80, 81, 82};
const std::vector<std::int32_t> kNobody(kYears.size(), -1);
// The losses that look at more of an age than its class.
const std::vector<std::string> kOrdering{"gap-regression", "scale-varying-triplet", "log-ratio",
                                         "rank-n-contrast"};
const auto kFaces = static_cast<Index>(kYears.size());

double gap(Index a, Index b) {
  return std::fabs(static_cast<double>(kYears[static_cast<std::size_t>(a)]) -
                   static_cast<double>(kYears[static_cast<std::size_t>(b)]));
}
double distance(ConstView z, Index a, Index b) {
  return std::hypot(static_cast<double>(z.pixel(a)[0] - z.pixel(b)[0]),
                    static_cast<double>(z.pixel(a)[1] - z.pixel(b)[1]));
}

// Of the triplets of an anchor, a face and one that is farther in age (of another class and one of
// the anchor's own, if so asked), the share that has the same order in the plane.
double order(ConstView z, bool of_classes) {
  double right = 0, all = 0;
  for (Index a = 0; a < kFaces; ++a)
    for (Index p = 0; p < kFaces; ++p)
      for (Index n = 0; n < kFaces; ++n) {
        if (p == a || n == a || gap(a, p) >= gap(a, n)) continue;
        if (of_classes && (gap(a, p) > 3 || gap(a, n) <= 3)) continue;
        right += distance(z, a, p) < distance(z, a, n) ? 1 : 0;
        all += 1;
      }
  return right / all;
}

}  // namespace

TEST_CASE("losses: each brings points of random places into the order of their ages") {
  for (const std::string& name : loss_names(Task::embedding)) {
    CAPTURE(name);
    const auto loss = make_loss(Task::embedding, {name}, {kFaces, 2, 1, Device::cpu, {}});
    const TestContext ctx(loss->workspace(TestContext()));
    GuardedTensor z(matrix(kFaces, 2)), dz(matrix(kFaces, 2));
    Random random(7);
    z.fill_uniform(random, -0.7F, 0.7F);  // distances of about 0.7
    loss->set_labels({kYears, kNobody});
    CHECK(std::max(order(z.view(), true), order(z.view(), false)) < 0.6);
    double first = 0, last = 0;
    constexpr int kSteps = 600;
    for (int step = 0; step < kSteps; ++step) {
      loss->compute(ctx, dz.view(), z.view());
      last = loss->value().loss;
      if (step == 0) first = last;
      double square = 0;
      for (const float v : dz.values()) square += static_cast<double>(v) * static_cast<double>(v);
      if (square == 0) break;
      // A step of a length that falls to 0, whatever the gradient's.
      const double length = 0.5 * (1 - static_cast<double>(step) / kSteps);
      const auto factor = static_cast<float>(length / std::sqrt(square));
      for (Index i = 0; i < 2 * kFaces; ++i) z.data()[i] -= factor * dz.data()[i];
    }
    CHECK(last < 0.5 * first);
    // Strictly, one year apart is another class.
    if (name != "contrastive") CHECK(order(z.view(), true) > 0.99);
    // The others know near from far, and not how far.
    const bool knows_order = std::ranges::count(kOrdering, name) > 0;
    CHECK((order(z.view(), false) > 0.95) == knows_order);
  }
}
