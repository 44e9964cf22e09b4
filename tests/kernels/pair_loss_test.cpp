#include "kernels/pair_loss/pair_loss.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

constexpr auto kKinds = values_of<PairLossKind>();

PairLoss of_kind(PairLossKind kind) {
  return {.kind = kind, .margin = 2, .tau = 3, .gap_max = 40, .scale = 10, .beta = 0.25F};
}

double square(double x) {
  return x * x;
}

// The table of pair_loss.h, written once more.
double formula(const PairLoss& loss, double d, double gap) {
  switch (loss.kind) {
    case PairLossKind::contrastive:
      return gap == 0 ? square(d) : square(std::max(0.0, loss.margin - d));
    case PairLossKind::revised_contrastive:
      return gap <= loss.tau ? square(d) : square(std::max(0.0, loss.margin - d));
    case PairLossKind::graded_contrastive: {
      const double margin = loss.margin * std::min(1.0, gap / loss.gap_max);
      return gap <= loss.tau ? square(d) : square(std::max(0.0, margin - d));
    }
    case PairLossKind::gap_regression: {
      const double e = std::fabs(d - gap / loss.scale);
      return e < loss.beta ? square(e) / (2 * loss.beta) : e - loss.beta / 2;
    }
  }
  return std::nan("");
}

// Distances and gaps on a grid: D = 0; both sides of the margin 2 (and of the graded margins 0.25,
// 1, 2); both sides of the corner |D - gap/10| = 0.25. No point lies on a corner itself.
struct Grid {
  SharedVector<float> d, gap, weight;
  Grid() {
    std::vector<float> ds, gaps, weights;
    Random random(1);
    for (const float g : {0.0F, 1.0F, 3.0F, 3.5F, 5.0F, 20.0F, 39.0F, 40.0F, 70.0F})
      for (const float corner : {0.0F, 0.25F, 1.0F, 2.0F, g / 10 - 0.25F, g / 10, g / 10 + 0.25F})
        for (const float side : {-0.01F, 0.0F, 0.01F}) {
          const bool at_corner = side == 0.0F && corner != 0.0F && corner != g / 10;
          if (corner + side < 0 || at_corner) continue;
          ds.push_back(corner + side);
          gaps.push_back(g);
          weights.push_back(static_cast<float>(random.uniform(0.1, 2)));
        }
    const auto shared = [](std::span<const float> values) { return SharedVector<float>(values); };
    d = shared(ds);
    gap = shared(gaps);
    weight = shared(weights);
  }
  Index count() const { return static_cast<Index>(d.size()); }
};

TEST_CASE("pair_loss: loss and slope follow the formula, also beside every corner and at D = 0") {
  const Grid grid;
  const TestContext ctx;
  for (const PairLossKind kind : kKinds) {
    CAPTURE(to_string(kind));
    const PairLoss loss = of_kind(kind);
    for (const auto run : {naive::pair_loss, pair_loss}) {
      GuardedTensor value(vector(grid.count())), dd(vector(grid.count()));
      run(ctx, value.data(), dd.data(), grid.d.data(), grid.gap.data(), grid.weight.data(),
          grid.count(), loss);
      CHECK((value.guards_intact() && dd.guards_intact()));
      double largest = 0;
      for (std::size_t p = 0; p < grid.d.size(); ++p) {
        CAPTURE(grid.d[p]);
        CAPTURE(grid.gap[p]);
        CHECK(std::fabs(value.data()[p] - formula(loss, grid.d[p], grid.gap[p])) <= 5e-6);
        const Doubles slope = numeric_gradient(
            {static_cast<double>(grid.d[p])},
            [&](const Doubles& x) { return grid.weight[p] * formula(loss, x[0], grid.gap[p]); });
        CHECK(std::fabs(dd.data()[p] - slope[0]) <= 1e-5);
        largest = std::max(largest, std::fabs(slope[0]));
      }
      CHECK(largest > 0.5);
    }
  }
}

TEST_CASE("pair_loss: the values a reader works out by hand") {
  const TestContext ctx;
  struct Line {
    PairLossKind kind;
    float d, gap, loss, slope;
  };
  const Line lines[] = {
      {PairLossKind::contrastive, 1.5F, 0, 2.25F, 3},
      {PairLossKind::contrastive, 1.5F, 1, 0.25F, -1},
      {PairLossKind::contrastive, 2.5F, 1, 0, 0},  // beyond the margin: left alone
      {PairLossKind::revised_contrastive, 1.5F, 3, 2.25F, 3},
      {PairLossKind::revised_contrastive, 1.5F, 4, 0.25F, -1},
      {PairLossKind::revised_contrastive, 0, 4, 4, -4},
      {PairLossKind::graded_contrastive, 0.5F, 20, 0.25F, -1},  // margin 1
      {PairLossKind::graded_contrastive, 0.5F, 80, 2.25F, -3},  // margin 2, not 4
      {PairLossKind::gap_regression, 2.5F, 20, 0.375F, 1},      // 0.5 - 0.25 / 2
      {PairLossKind::gap_regression, 0, 20, 1.875F, -1},
      {PairLossKind::gap_regression, 2.125F, 20, 0.03125F, 0.5F},
  };
  for (const Line& line : lines)
    for (const auto run : {naive::pair_loss, pair_loss}) {
      CAPTURE(to_string(line.kind));
      const SharedVector<float> d = {line.d}, gap = {line.gap}, weight = {1};
      SharedVector<float> loss(1), dd(1);
      run(ctx, loss.data(), dd.data(), d.data(), gap.data(), weight.data(), 1, of_kind(line.kind));
      CHECK(near(loss[0], line.loss, 1e-6));
      CHECK(near(dd[0], line.slope, 1e-6));
    }
}

TEST_CASE("pair_loss: a NaN distance is not hidden by the margin or the corner") {
  const TestContext ctx;
  const float nan = std::nanf("");
  const SharedVector<float> d = {nan, nan}, gap = {0, 30}, weight = {1, 1};
  for (const PairLossKind kind : kKinds)
    for (const auto run : {naive::pair_loss, pair_loss}) {
      CAPTURE(to_string(kind));
      SharedVector<float> loss(2), dd(2);
      run(ctx, loss.data(), dd.data(), d.data(), gap.data(), weight.data(), 2, of_kind(kind));
      for (const float value : loss) CHECK(value != value);
    }
}

TEST_CASE("same_class: strict for contrastive, within tau years for the others") {
  CHECK(same_class(of_kind(PairLossKind::contrastive), 0));
  CHECK_FALSE(same_class(of_kind(PairLossKind::contrastive), 1));
  for (const PairLossKind kind : kKinds) {
    if (kind == PairLossKind::contrastive) continue;
    CHECK(same_class(of_kind(kind), 0));
    CHECK(same_class(of_kind(kind), 3));
    CHECK_FALSE(same_class(of_kind(kind), 3.5F));
  }
}

TEST_CASE("pair_loss: names come back as they went") {
  for (const PairLossKind kind : kKinds) CHECK(parse<PairLossKind>(to_string(kind)) == kind);
  CHECK(to_string(PairLossKind::revised_contrastive) == "revised-contrastive");
  CHECK_THROWS_AS(parse<PairLossKind>("triplets"), UsageError);
  CHECK_THROWS_AS(parse<PairLossKind>(""), UsageError);
}

TEST_CASE("pair_loss: options without meaning throw; no pairs are fine") {
  const TestContext ctx;
  pair_loss(ctx, nullptr, nullptr, nullptr, nullptr, nullptr, 0, {});
  SharedVector<float> ones = {1};
  float* one = ones.data();
  for (const PairLoss& wrong :
       {PairLoss{.margin = 0}, PairLoss{.gap_max = 0}, PairLoss{.scale = -1}, PairLoss{.beta = 0}})
    CHECK_THROWS_AS(pair_loss(ctx, one, one, one, one, one, 1, wrong), Error);
}

TEST_CASE("pair_loss: a kind that a backend does not know fails in each of them, on the host") {
  const TestContext ctx;
  const PairLoss unknown = of_kind(static_cast<PairLossKind>(99));
  SharedVector<float> ones = {1};
  float* one = ones.data();
  for (const auto run : {naive::pair_loss, cpu::pair_loss, simt::pair_loss, pair_loss})
    CHECK_THROWS_WITH_AS(run(ctx, one, one, one, one, one, 1, unknown),
                         "[pair_loss] unknown kind 99", Error);
  CHECK(ones[0] == 1);
  CHECK_THROWS_AS(same_class(unknown, 0), Error);
}

}  // namespace
}  // namespace twinage
