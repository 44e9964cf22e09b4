#include <algorithm>
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/tensor.h"
#include "siamese/losses/loss.h"
#include "siamese/objective.h"
#include "tests/support/test_context.h"

using namespace twinage;
using test::GuardedTensor;
using test::TestContext;

namespace {

constexpr Index kBatch = 7, kWidth = 4;
const std::vector<float> kYears{20, 22, 50, 61, 20.4F, 33, 130};
const std::vector<std::int32_t> kSexes{0, 1, -1, 1, 0, 1, -1};
const Labels kLabels{kYears, kSexes};

using Values = std::vector<double>;

double distance(const Values& z, std::size_t a, std::size_t b) {
  double sum = 0;
  for (std::size_t c = 0; c < kWidth; ++c)
    sum += (z[a * kWidth + c] - z[b * kWidth + c]) * (z[a * kWidth + c] - z[b * kWidth + c]);
  return std::sqrt(sum);
}

// The definition of both triplet losses, in double, from the embeddings.
double triplets_of(const Values& z, bool hard, double margin, double tau) {
  double sum = 0, count = 0;
  for (std::size_t a = 0; a < kYears.size(); ++a) {
    double farthest = -1, nearest = 1e9;
    for (std::size_t p = 0; p < kYears.size(); ++p) {
      const bool same = std::fabs(static_cast<double>(kYears[a] - kYears[p])) <= tau;
      if (p == a) continue;
      if (!same) nearest = std::min(nearest, distance(z, a, p));
      if (!same) continue;
      farthest = std::max(farthest, distance(z, a, p));
      for (std::size_t n = 0; n < kYears.size() && !hard; ++n) {
        if (std::fabs(static_cast<double>(kYears[a] - kYears[n])) <= tau) continue;
        const double loss = margin + distance(z, a, p) - distance(z, a, n);
        if (loss > 0) sum += loss;
        if (loss > 0) count += 1;
      }
    }
    if (!hard || farthest < 0 || nearest > 1e8) continue;
    sum += std::max(0.0, margin + farthest - nearest);
    count += 1;
  }
  return count > 0 ? sum / count : 0;
}

struct Computed {
  LossValue value;
  std::vector<float> gradient;
};

Computed compute(Task task, const char* name, const GuardedTensor& y, float weight,
                 const LossOptions& options = {}) {
  const Index width = y.view().shape.c;
  const auto loss = make_loss(task, {name}, {kBatch, width, weight, Device::cpu, options});
  const TestContext ctx(loss->workspace(TestContext()));
  GuardedTensor dy(matrix(kBatch, width), 3);
  dy.fill(std::nanf(""));
  loss->set_labels(kLabels);
  loss->compute(ctx, dy.view(), y.view());
  const auto values = dy.values();
  return {loss->value(), {values.begin(), values.end()}};
}

}  // namespace

TEST_CASE("losses: a task's losses are made by their names, and by no others") {
  for (const std::string& formula : names_of<PairLossKind>())
    CHECK(std::ranges::count(loss_names(Task::embedding), formula) == 1);
  for (const Task task : kTasks)
    for (const std::string& name : loss_names(task))
      CHECK(make_loss(task, {name}, {kBatch, head_form(task, {name}, kWidth).outputs}) != nullptr);
  CHECK_THROWS_WITH_AS((void)make_loss(Task::gender, {"contrastive"}, {kBatch, 2}),
                       "[loss of gender] expected cross-entropy, got 'contrastive'", UsageError);
  CHECK_THROWS_AS((void)make_loss(Task::embedding, {""}, {kBatch, 2}), UsageError);
  std::istringstream lines(losses_table());
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) CHECK(line.size() <= 80);
  std::size_t losses = 0;
  for (const Task task : kTasks) losses += loss_names(task).size();
  CHECK(rows == losses);
}

TEST_CASE("losses: triplets come through the same door as pairs, with the gradient of the value") {
  GuardedTensor z(matrix(kBatch, kWidth), 2);
  Random random(3);
  z.fill_uniform(random, -0.8F, 0.8F);
  const auto values = z.values();
  const Values x(values.begin(), values.end());
  for (const bool hard : {true, false}) {
    CAPTURE(hard);
    LossOptions options;
    options.margin = 0.6F;
    const char* name = hard ? "triplet-hard" : "triplet-all";
    const auto [value, gradient] = compute(Task::embedding, name, z, 0.5F, options);
    const auto f = [&](const Values& at) {
      return triplets_of(at, hard, static_cast<double>(options.margin),
                         static_cast<double>(options.tau));
    };
    CHECK(value.loss == doctest::Approx(f(x)).epsilon(1e-5));
    CHECK(value.loss > 0.1);
    CHECK(value.figure_name == "active_share");
    CHECK(value.figure > 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      Values above = x, below = x;
      above[i] += 1e-5;
      below[i] -= 1e-5;
      const double expected = 0.5 * (f(above) - f(below)) / 2e-5;
      CHECK(static_cast<double>(gradient[i]) == doctest::Approx(expected).epsilon(1e-4));
    }
  }
}

TEST_CASE("losses: the gradient of every loss of the embedding is that of its value") {
  for (const std::string& name : loss_names(Task::embedding)) {
    CAPTURE(name);
    GuardedTensor z(matrix(kBatch, kWidth), 2);
    Random random(8);
    z.fill_uniform(random, -0.8F, 0.8F);
    const std::vector<float> gradient = compute(Task::embedding, name.c_str(), z, 1).gradient;
    double largest = 0, error = 0;
    for (Index i = 0; i < kBatch * kWidth; ++i) {
      float& x = z.view().pixel(i / kWidth)[i % kWidth];
      const float here = x;
      const auto value_at = [&](float step) {
        x = here + step;
        return compute(Task::embedding, name.c_str(), z, 1).value.loss;
      };
      constexpr float kStep = 2e-3F;  // of values in float32: finer differences drown in rounding
      const double expected =
          (value_at(kStep) - value_at(-kStep)) / (2 * static_cast<double>(kStep));
      x = here;
      largest = std::max(largest, std::fabs(expected));
      error = std::max(
          error, std::fabs(static_cast<double>(gradient[static_cast<std::size_t>(i)]) - expected));
    }
    CHECK(largest > 0.01);
    CHECK(error < 0.02 * largest);
  }
}

TEST_CASE(
    "losses: the age head's classes are whole years, and who is older than 100 counts as 100") {
  GuardedTensor logits(matrix(kBatch, kAges), 1);
  Random random(4);
  logits.fill_uniform(random, -2, 2);
  const Computed computed = compute(Task::age, "cross-entropy", logits, 1.0F);
  double expected = 0;
  for (std::size_t i = 0; i < kYears.size(); ++i) {
    const float* row = logits.view().pixel(static_cast<Index>(i));
    double sum = 0;
    for (Index c = 0; c < kAges; ++c) sum += std::exp(static_cast<double>(row[c]));
    const Index own = i == 6 ? 100 : i == 4 ? 20 : static_cast<Index>(kYears[i]);
    expected += (std::log(sum) - static_cast<double>(row[own])) / kBatch;
    const auto at = [&](Index c) { return static_cast<double>(computed.gradient[i * kAges + c]); };
    const double p = std::exp(static_cast<double>(row[own])) / sum;
    CHECK(at(own) == doctest::Approx((p - 1) / kBatch).epsilon(1e-4));
    CHECK(at(own == 100 ? 99 : own + 1) > 0);
  }
  CHECK(computed.value.loss == doctest::Approx(expected).epsilon(1e-5));
  CHECK(computed.value.figure_name.empty());
}

TEST_CASE("losses: a weight scales every loss's gradient and leaves its value alone") {
  for (const Task task : kTasks)
    for (const std::string& name : loss_names(task)) {
      CAPTURE(to_string(task));
      CAPTURE(name);
      GuardedTensor y(matrix(kBatch, head_form(task, {name}, kWidth).outputs), 1);
      Random random(5);
      y.fill_uniform(random, -0.8F, 0.8F);
      const Computed once = compute(task, name.c_str(), y, 1),
                     twice = compute(task, name.c_str(), y, 2);
      CHECK(once.value.loss == twice.value.loss);
      double largest = 0;
      for (std::size_t i = 0; i < once.gradient.size(); ++i) {
        CHECK(2 * once.gradient[i] == doctest::Approx(twice.gradient[i]).epsilon(1e-5));
        largest = std::max(largest, std::fabs(static_cast<double>(once.gradient[i])));
      }
      CHECK(largest > 1e-3);
    }
}

TEST_CASE("losses: an output that is no number shows in the value of every loss") {
  for (const Task task : kTasks)
    for (const std::string& name : loss_names(task)) {
      CAPTURE(to_string(task));
      CAPTURE(name);
      GuardedTensor y(matrix(kBatch, head_form(task, {name}, kWidth).outputs), 1);
      Random random(5);
      y.fill_uniform(random, -0.8F, 0.8F);
      y.view().pixel(1)[0] = std::nanf("");
      CHECK(std::isnan(compute(task, name.c_str(), y, 1).value.loss));
    }
}

TEST_CASE("objective: three heads, each with its loss and weight, by name") {
  ObjectiveOptions options;
  options.heads = {Task::embedding, Task::gender, Task::age};
  options.head[Task::embedding] = {{"triplet-hard"}, 0.25F};
  options.head[Task::age].weight = 3;
  Objective objective(options, kBatch, kWidth);
  GuardedTensor z(matrix(kBatch, kWidth)), gender(matrix(kBatch, kGenders)),
      age(matrix(kBatch, kAges));
  Random random(6);
  for (GuardedTensor* y : {&z, &gender, &age}) y->fill_uniform(random, -0.8F, 0.8F);
  const TestContext ctx(objective.workspace(TestContext()));
  const ObjectiveValue value =
      objective.evaluate(ctx, {{z.view(), gender.view(), age.view()}}, kLabels);
  double total = 0;
  for (const Task task : options.heads) {
    CHECK(value.heads[task].loss > 0);
    CHECK(test::largest_magnitude(objective.gradients()[task]) > 0);
    total += static_cast<double>(options.head[task].weight) * value.heads[task].loss;
  }
  CHECK(value.total == doctest::Approx(total));
  CHECK_THROWS_AS(objective.compute(ctx, {{z.view(), gender.view(), ConstView()}}), Error);

  options.heads = {Task::age};
  Objective one(options, kBatch, kWidth);
  const ObjectiveValue alone = one.evaluate(ctx, {{ConstView(), ConstView(), age.view()}}, kLabels);
  CHECK(alone.total == doctest::Approx(3 * value.heads[Task::age].loss));
  CHECK(one.gradients()[Task::embedding].data == nullptr);
  options.head[Task::age].loss = {"best"};
  CHECK_THROWS_AS(Objective(options, kBatch, kWidth), UsageError);
}
