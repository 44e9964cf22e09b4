#include "siamese/objective.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

using namespace twinage;
using test::GuardedTensor;
using test::TestContext;

namespace {

constexpr PairLossKind kKinds[] = {PairLossKind::contrastive, PairLossKind::revised_contrastive,
                                   PairLossKind::graded_contrastive, PairLossKind::gap_regression};
constexpr Index kBatch = 8, kWidth = 5;
// Two pairs of equal age, some within tau = 3, the rest far apart; two faces without a label.
const std::vector<float> kYears{20, 22, 50, 61, 20, 33, 49, 61};
const std::vector<std::int32_t> kSexes{0, 1, -1, 1, 0, 1, -1, 0};

double square(double x) {
  return x * x;
}

// The definition, in double.
double pair_loss_of(const PairLoss& loss, double d, double gap) {
  const double margin = static_cast<double>(loss.margin);
  const double tau = loss.kind == PairLossKind::contrastive ? 0 : static_cast<double>(loss.tau);
  if (loss.kind == PairLossKind::gap_regression) {
    const double beta = static_cast<double>(loss.beta);
    const double error = std::fabs(d - gap / static_cast<double>(loss.scale));
    return error < beta ? square(error) / (2 * beta) : error - beta / 2;
  }
  if (gap <= tau) return square(d);
  const bool graded = loss.kind == PairLossKind::graded_contrastive;
  const double share = graded ? std::min(1.0, gap / static_cast<double>(loss.gap_max)) : 1;
  return square(std::max(0.0, margin * share - d));
}

PairLoss formula_of(const ObjectiveOptions& options) {
  const LossOptions& o = options.loss;
  return {parse<PairLossKind>(options.head[Task::embedding].loss.name),
          o.margin,
          o.tau,
          o.gap_max,
          o.scale,
          o.beta};
}

using Values = std::vector<double>;

struct Expected {
  double pair = 0, gender = 0;
};

Expected naive_objective(const ObjectiveOptions& options, const Values& z, const Values& logits,
                         std::span<const float> ages, std::span<const std::int32_t> genders) {
  std::vector<float> gaps;
  Values losses;
  for (const IndexPair& pair : pairs_of_batch(options.loss.pairs, kBatch)) {
    double sum = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(kWidth); ++c)
      sum += square(z[static_cast<std::size_t>(pair.a * kWidth) + c] -
                    z[static_cast<std::size_t>(pair.b * kWidth) + c]);
    gaps.push_back(
        std::fabs(ages[static_cast<std::size_t>(pair.a)] - ages[static_cast<std::size_t>(pair.b)]));
    losses.push_back(
        pair_loss_of(formula_of(options), std::sqrt(sum), static_cast<double>(gaps.back())));
  }
  const auto weights = pair_weights(gaps, formula_of(options), options.loss.balanced);
  Expected expected;
  for (std::size_t p = 0; p < losses.size(); ++p)
    expected.pair += static_cast<double>(weights[p]) * losses[p];
  double labelled = 0;
  for (std::size_t n = 0; n < genders.size(); ++n) {
    if (genders[n] < 0) continue;
    const double own = logits[2 * n + static_cast<std::size_t>(genders[n])];
    expected.gender += std::log(std::exp(logits[2 * n]) + std::exp(logits[2 * n + 1])) - own;
    labelled += 1;
  }
  if (labelled > 0) expected.gender /= labelled;
  return expected;
}

double total(const ObjectiveOptions& options, const Expected& expected) {
  return expected.pair + static_cast<double>(options.head[Task::gender].weight) * expected.gender;
}

Values widened(const GuardedTensor& tensor) {
  const auto values = tensor.values();
  return {values.begin(), values.end()};
}

// Every element of `gradient` against central differences of f over the element of x.
template <class F>
void check_gradient(ConstView gradient, Values x, F f) {
  const double h = 1e-5;
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double before = x[i];
    x[i] = before + h;
    const double above = f(x);
    x[i] = before - h;
    const double below = f(x);
    x[i] = before;
    const double expected = (above - below) / (2 * h);
    const auto width = static_cast<std::size_t>(gradient.shape.c);
    const double got =
        static_cast<double>(gradient.pixel(static_cast<Index>(i / width))[i % width]);
    // float32 rounding of up to 28 terms, far below the gradients themselves (checked below).
    const double error = std::fabs(got - expected);
    CHECK(error <= 2e-6 + 2e-6 * std::fabs(expected));
    largest = std::max(largest, std::fabs(expected));
  }
  CHECK(largest > 1e-2);
}

struct Outputs {
  GuardedTensor z{matrix(kBatch, kWidth), 3}, gender{matrix(kBatch, 2), 1};
  explicit Outputs(std::uint64_t seed) {
    Random random(seed);
    z.fill_uniform(random, -0.8F, 0.8F);
    gender.fill_uniform(random, -2, 2);
  }
  ByTask<ConstView> views() const { return {{z.view(), gender.view(), ConstView()}}; }
};

}  // namespace

TEST_CASE("objective: value and gradients of every loss, pair mode and weighting") {
  const TestContext ctx;
  const Outputs outputs(1);
  const Values z = widened(outputs.z), logits = widened(outputs.gender);
  for (const PairLossKind kind : kKinds)
    for (const PairMode mode : {PairMode::sampled, PairMode::all})
      for (const bool balanced : {false, true}) {
        CAPTURE(to_string(kind));
        CAPTURE(to_string(mode));
        CAPTURE(balanced);
        ObjectiveOptions options;
        options.loss.pairs = mode;
        options.head[Task::embedding].loss = {to_string(kind)};
        options.loss.balanced = balanced;
        options.head[Task::gender].weight = 0.7F;
        Objective objective(options, kBatch, kWidth);
        const auto value = objective.evaluate(ctx, outputs.views(), {kYears, kSexes});
        const auto expected = naive_objective(options, z, logits, kYears, kSexes);
        CHECK(std::fabs(value.heads[Task::embedding].loss - expected.pair) <= 1e-6 * expected.pair);
        CHECK(std::fabs(value.heads[Task::gender].loss - expected.gender) <=
              1e-6 * expected.gender);
        CHECK(std::fabs(value.total - total(options, expected)) <= 1e-6 * value.total);
        check_gradient(objective.gradients()[Task::embedding], z, [&](const Values& x) {
          return total(options, naive_objective(options, x, logits, kYears, kSexes));
        });
        check_gradient(objective.gradients()[Task::gender], logits, [&](const Values& x) {
          return total(options, naive_objective(options, z, x, kYears, kSexes));
        });
      }
}

TEST_CASE("objective: the positive share counts what the loss calls the same class") {
  const TestContext ctx;
  const Outputs outputs(2);
  ObjectiveOptions options;
  options.loss.pairs = PairMode::sampled;  // gaps 0, 11, 1, 0
  options.head[Task::embedding].loss = {"contrastive"};
  Objective strict(options, kBatch, kWidth);
  CHECK(strict.evaluate(ctx, outputs.views(), {kYears, kSexes}).heads[Task::embedding].figure ==
        0.5);
  options.head[Task::embedding].loss = {"revised-contrastive"};
  Objective revised(options, kBatch, kWidth);
  CHECK(revised.evaluate(ctx, outputs.views(), {kYears, kSexes}).heads[Task::embedding].figure ==
        0.75);
}

TEST_CASE("objective: faces without a gender label take no part; with none the loss is 0") {
  const TestContext ctx;
  const Outputs outputs(3);
  Objective objective({}, kBatch, kWidth);
  (void)objective.evaluate(ctx, outputs.views(), {kYears, kSexes});
  for (const Index face : {2, 6})
    for (Index c = 0; c < 2; ++c) CHECK(objective.gradients()[Task::gender].pixel(face)[c] == 0);
  CHECK(objective.gradients()[Task::gender].pixel(0)[0] != 0);

  const std::vector<std::int32_t> none(static_cast<std::size_t>(kBatch), -1);
  const auto value = objective.evaluate(ctx, outputs.views(), {kYears, none});
  CHECK(value.heads[Task::gender].loss == 0);
  CHECK(value.total == value.heads[Task::embedding].loss);
  CHECK(test::largest_magnitude(objective.gradients()[Task::gender]) == 0);
  CHECK(test::largest_magnitude(objective.gradients()[Task::embedding]) > 0);
}

TEST_CASE("objective: a second batch does not see the first, nor the number of threads") {
  const Outputs outputs(4), other(5);
  Objective once({}, kBatch, kWidth), twice({}, kBatch, kWidth);
  const TestContext one_thread(0, 1), three_threads(0, 3);
  const auto a = once.evaluate(one_thread, outputs.views(), {kYears, kSexes});
  (void)twice.evaluate(three_threads, other.views(), {kYears, kSexes});
  const auto b = twice.evaluate(three_threads, outputs.views(), {kYears, kSexes});
  CHECK(a.total == b.total);
  CHECK(test::bitwise_equal(once.gradients()[Task::embedding], twice.gradients()[Task::embedding]));
  CHECK(test::bitwise_equal(once.gradients()[Task::gender], twice.gradients()[Task::gender]));
}

TEST_CASE("objective: identical embeddings give a finite loss and no gradient") {
  const TestContext ctx;
  Outputs outputs(6);
  outputs.z.fill(0.25F);
  Objective objective({}, kBatch, kWidth);
  CHECK(std::isfinite(objective.evaluate(ctx, outputs.views(), {kYears, kSexes}).total));
  CHECK(test::largest_magnitude(objective.gradients()[Task::embedding]) == 0);
}

TEST_CASE("objective: shapes that do not fit are errors") {
  const TestContext ctx;
  const Outputs outputs(7);
  Objective objective({}, kBatch, kWidth), wider({}, kBatch, kWidth + 1);
  const std::span<const float> few(kYears.data(), 7);
  CHECK_THROWS_AS((void)wider.evaluate(ctx, outputs.views(), {kYears, kSexes}), Error);
  CHECK_THROWS_AS((void)objective.evaluate(ctx, outputs.views(), {few, kSexes}), Error);
  CHECK_THROWS_AS(Objective({}, 1, kWidth), Error);
}
