// The losses of an age head, and what its outputs say: each by its formula in double, and trained
// on features from which the age can be told.
#include <cmath>

#include <doctest/doctest.h>

#include "kernels/adadelta/adadelta.h"
#include "layers/initialize.h"
#include "siamese/losses/loss.h"
#include "siamese/readouts/age_readout.h"
#include "tests/support/test_context.h"

using namespace twinage;
using namespace twinage::test;

namespace {

const std::vector<float> kYears{20, 22, 50, 61, 20.4F, 33, 130};
const std::vector<std::int32_t> kSexes(kYears.size(), 0);
constexpr Index kBatch = 7;

using Values = std::vector<double>;

// Softmax, mean and variance of a row.
struct Distribution {
  Values p;
  double mean = 0, variance = 0;

  explicit Distribution(const Values& logits) {
    double sum = 0;
    for (const double x : logits) sum += std::exp(x);
    for (const double x : logits) p.push_back(std::exp(x) / sum);
    for (std::size_t a = 0; a < p.size(); ++a) mean += static_cast<double>(a) * p[a];
    for (std::size_t a = 0; a < p.size(); ++a)
      variance += p[a] * std::pow(static_cast<double>(a) - mean, 2);
  }
};

// Of one face, in double, with the papers' constants.
double definition(const std::string& name, const Values& y, double age) {
  const double within = std::min(age, 100.0);
  if (name == "regression") return std::fabs(y[0] - (age - 40) / 10);
  if (name == "ssr") return std::fabs(y[0] - age / 10);
  if (name == "ranking") {
    double loss = 0;
    for (std::size_t k = 0; k < y.size(); ++k)
      loss += std::log1p(std::exp(std::round(within) > static_cast<double>(k) ? -y[k] : y[k]));
    return loss;
  }
  const Distribution d(y);
  const auto year = static_cast<std::size_t>(std::lround(within));
  if (name == "mean-variance")
    return -std::log(d.p[year]) + 0.2 * std::pow(d.mean - within, 2) / 2 + 0.05 * d.variance;
  REQUIRE(name == "label-distribution");
  double sum = 0, loss = std::fabs(d.mean - within);
  for (int a = 0; a <= 100; ++a) sum += std::exp(-std::pow((a - within) / 2, 2) / 2);
  for (int a = 0; a <= 100; ++a) {
    const double q = std::exp(-std::pow((a - within) / 2, 2) / 2) / sum;
    if (q > 0) loss += q * std::log(q / d.p[static_cast<std::size_t>(a)]);
  }
  return loss;
}

std::vector<std::string> direct_losses() {
  std::vector<std::string> names;
  for (const std::string& name : loss_names(Task::age))
    if (name != "cross-entropy") names.push_back(name);
  return names;
}

// What a form reads in given outputs of one face.
std::vector<float> said_by(const HeadForm& form, const std::vector<float>& outputs) {
  Tensor said(matrix(1, form.said()));
  form.read(TestContext(), said.view(), ConstView(outputs.data(), matrix(1, form.outputs)));
  return {said.data(), said.data() + said.size()};
}

}  // namespace

TEST_CASE("age heads: value and gradient of every loss are those of its formula") {
  for (const std::string& name : direct_losses()) {
    CAPTURE(name);
    const Index width = head_form(Task::age, {name}, 1).outputs;
    const auto loss = make_loss(Task::age, {name}, {kBatch, width, 0.5F});
    const TestContext ctx(loss->workspace(TestContext()));
    GuardedTensor y(matrix(kBatch, width), 2), dy(matrix(kBatch, width), 1);
    Random random(4);
    y.fill_uniform(random, -1, 1);
    loss->set_labels({kYears, kSexes});
    loss->compute(ctx, dy.view(), y.view());
    double expected = 0;
    for (std::size_t i = 0; i < kYears.size(); ++i) {
      const float* row = y.view().pixel(static_cast<Index>(i));
      Values values(row, row + width);
      const auto age = static_cast<double>(kYears[i]);
      expected += definition(name, values, age) / kBatch;
      for (const Index c : {Index{0}, width / 3, width - 1}) {
        double& moved = values[static_cast<std::size_t>(c)];
        const double here = moved, step = 1e-5;
        moved = here + step;
        const double above = definition(name, values, age);
        moved = here - step;
        const double below = definition(name, values, age);
        moved = here;
        CHECK(static_cast<double>(dy.view().pixel(static_cast<Index>(i))[c]) ==
              doctest::Approx(0.5 / kBatch * (above - below) / (2 * step)).epsilon(1e-4));
      }
    }
    CHECK(loss->value().loss == doctest::Approx(expected).epsilon(1e-5));
    CHECK(loss->value().figure_name.empty());
    CHECK(dy.guards_intact());
  }
}

TEST_CASE("age heads: their constants are what they are set to") {
  GuardedTensor y(matrix(kBatch, kAges)), dy(matrix(kBatch, kAges));
  Random random(5);
  y.fill_uniform(random, -1, 1);
  const auto value_of = [&](const char* name, const LossOptions& options) {
    const auto loss = make_loss(Task::age, {name}, {kBatch, kAges, 1, Device::cpu, options});
    loss->set_labels({kYears, kSexes});
    loss->compute(TestContext(), dy.view(), y.view());
    return loss->value().loss;
  };
  LossOptions plain{.age_error = 0, .age_mean = 0, .age_variance = 0};
  const double divergence = value_of("label-distribution", plain);
  const double cross_entropy = value_of("cross-entropy", plain);
  CHECK(value_of("mean-variance", plain) == doctest::Approx(cross_entropy).epsilon(1e-6));
  LossOptions changed = plain;
  changed.age_sigma = 4;
  CHECK(value_of("label-distribution", changed) < divergence);
  changed = plain;
  changed.age_error = 2;
  CHECK(value_of("label-distribution", changed) > divergence + 20);
  changed = plain;
  changed.age_mean = 1;
  CHECK(value_of("mean-variance", changed) > cross_entropy + 100);
  changed = plain;
  changed.age_variance = 1;
  CHECK(value_of("mean-variance", changed) > cross_entropy + 100);
}

TEST_CASE("age heads: what is said by ranks, by hand") {
  const HeadForm form = head_form(Task::age, {"ranking"}, 1);
  CHECK(form.outputs == 100);
  CHECK(form.said() == kAges);
  // P(age > k) = s(x) is 3/4 at the logit log 3: beyond 0 to 29 for sure, beyond 30 so, no more.
  std::vector<float> ranks(100, -200);
  std::fill_n(ranks.begin(), 30, 200.0F);
  ranks[30] = std::log(3.0F);
  std::vector<float> p = said_by(form, ranks);
  CHECK(p[30] == doctest::Approx(0.25));
  CHECK(p[31] == doctest::Approx(0.75));
  CHECK(p[29] == doctest::Approx(0));
  // The ends: no older than 0, older than 99.
  CHECK(said_by(form, std::vector<float>(100, -200))[0] == 1);
  CHECK(said_by(form, std::vector<float>(100, 200))[100] == 1);
  // All thresholds at 1/2: either end.
  p = said_by(form, std::vector<float>(100, 0));
  CHECK(p[0] == 0.5F);
  CHECK(p[100] == 0.5F);
}

TEST_CASE("age heads: ranks that are out of order leave out what is below 0, with the sum 1") {
  const HeadForm form = head_form(Task::age, {"ranking"}, 1);
  std::vector<float> ranks(100, -200);
  ranks[0] = 200;
  ranks[1] = 0;               // 1/2
  ranks[2] = std::log(3.0F);  // 3/4, more than beyond 1 year
  const std::vector<float> p = said_by(form, ranks);
  // Differences 0, 1/2, -1/4, 3/4: without the third 5/4.
  CHECK(p[0] == doctest::Approx(0));
  CHECK(p[1] == doctest::Approx(0.4));
  CHECK(p[2] == 0);
  CHECK(p[3] == doctest::Approx(0.6));
  ranks[50] = std::nanf("");
  for (const float share : said_by(form, ranks)) CHECK(std::isnan(share));
}

TEST_CASE("age heads: the numbers that are said are years") {
  const HeadForm number = head_form(Task::age, {"regression"}, 1),
                 stages = head_form(Task::age, {"ssr"}, 1);
  CHECK(number.said() == 1);
  CHECK(said_by(number, {-1.5F})[0] == 25);
  CHECK(said_by(stages, {2.5F})[0] == 25);
}

TEST_CASE("age heads: each learns the age from features that hold it") {
  // Features as a tower's are, at least 0; the age is in two of eight.
  constexpr Index kFaces = 64, kFeatures = 8;
  Random random(7);
  Tensor features(matrix(kFaces, kFeatures));
  std::vector<float> ages;
  const std::vector<std::int32_t> sexes(static_cast<std::size_t>(kFaces), 0);
  for (Index n = 0; n < kFaces; ++n) {
    const double age = std::floor(random.uniform(0, 80));
    ages.push_back(static_cast<float>(age));
    float* f = features.view().pixel(n);
    for (Index c = 0; c < kFeatures; ++c) f[c] = static_cast<float>(random.uniform(0, 0.2));
    f[2] += static_cast<float>(age / 40);
    f[5] += static_cast<float>(std::max(0.0, 1 - age / 40));
  }
  const Gallery nobody;
  const Calibration not_calibrated;
  for (const std::string& name : loss_names(Task::age)) {
    CAPTURE(name);
    const HeadForm form = head_form(Task::age, {name}, 1);
    const LayerPtr head = named("age", form.layer(kFeatures, form.outputs));
    initialize(head->parameters(), 1);
    const Shape shape = head->plan(TestContext(), features.shape(), Mode::train);
    REQUIRE(shape == matrix(kFaces, form.outputs));
    const auto loss = make_loss(Task::age, {name}, {kFaces, form.outputs});
    loss->set_labels({ages, sexes});
    Tensor y(shape), dy(shape), said(matrix(kFaces, form.said()));
    const TestContext ctx(
        std::max(head->workspace(), head->kept() + loss->workspace(TestContext())));
    std::vector<Tensor> squares, steps;
    for (const Parameter* p : head->parameters()) {
      squares.emplace_back(p->value.shape());
      steps.emplace_back(p->value.shape());
    }
    const AgeReadout readout(
        nobody, not_calibrated,
        {form.ages == AgeSaid::number ? ReadoutKind::direct : ReadoutKind::expectation});
    const auto mean_error = [&] {
      form.read(TestContext(), said.view(), y.view());
      const auto estimates = readout.estimate(TestContext(), {.ages = said.view()});
      double error = 0;
      for (std::size_t i = 0; i < ages.size(); ++i)
        error += static_cast<double>(std::fabs(estimates[i].age - ages[i])) / kFaces;
      return error;
    };
    double first_error = 0, first_loss = 0;
    const std::vector<Parameter*> parameters = head->parameters();
    for (int step = 0; step < 300; ++step) {
      for (Parameter* p : parameters) p->grad.fill(0);
      ctx.get().workspace->forget();
      head->forward(ctx, y.view(), features.view(), Mode::train);
      loss->compute(ctx, dy.view(), y.view());
      if (step == 0) {
        first_error = mean_error();
        first_loss = loss->value().loss;
      }
      head->backward(ctx, View(), dy.view(), features.view(), y.view(), Write::overwrite);
      for (std::size_t i = 0; i < parameters.size(); ++i)
        adadelta(ctx, parameters[i]->value.data(), squares[i].data(), steps[i].data(),
                 parameters[i]->grad.data(), parameters[i]->value.size(), {}, 3.0F);
    }
    ctx.get().workspace->forget();
    head->forward(ctx, y.view(), features.view(), Mode::train);
    MESSAGE(name << ": " << first_error << " to " << mean_error() << " years");
    CHECK(first_error > 14);
    CHECK(mean_error() < 8);
    CHECK(loss->value().loss < first_loss);
  }
}
