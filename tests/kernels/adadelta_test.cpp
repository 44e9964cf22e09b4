#include "kernels/adadelta/adadelta.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

// Algorithm 1 of the paper for one number, line by line.
struct Transcription {
  double x, mean_g2 = 0, mean_dx2 = 0;
  void step(double g, const Adadelta& o, double factor) {
    g += o.weight_decay * x;
    mean_g2 = o.rho * mean_g2 + (1 - o.rho) * g * g;
    const double rms_dx = std::sqrt(mean_dx2 + o.epsilon), rms_g = std::sqrt(mean_g2 + o.epsilon);
    const double dx = -(rms_dx / rms_g) * g;
    mean_dx2 = o.rho * mean_dx2 + (1 - o.rho) * dx * dx;
    x += factor * dx;
  }
};

struct State {
  GuardedTensor x, mean_g2, mean_dx2;
  explicit State(Index count) : x(vector(count)), mean_g2(vector(count)), mean_dx2(vector(count)) {
    mean_g2.fill(0);
    mean_dx2.fill(0);
  }
  bool guards_intact() const {
    return x.guards_intact() && mean_g2.guards_intact() && mean_dx2.guards_intact();
  }
};

TEST_CASE("adadelta: several steps follow a transcription of algorithm 1") {
  const TestContext ctx;
  for (const Adadelta& options :
       {Adadelta{}, Adadelta{.rho = 0.9F, .epsilon = 1e-3F, .weight_decay = 0.1F}})
    for (const Index count : {1, 15, 16, 31, 40000})
      for (const auto run : {naive::adadelta, adadelta}) {
        CAPTURE(count);
        Random random(1);
        State got(count);
        got.x.fill_uniform(random);
        std::vector<Transcription> want;
        for (float x : got.x.values()) want.push_back({x});
        for (int step = 0; step < 6; ++step) {
          const float factor = step < 3 ? 1.0F : 0.25F;
          GuardedTensor g(vector(count));
          g.fill_uniform(random, -2, 2);
          if (step == 4) g.fill(0);
          run(ctx, got.x.data(), got.mean_g2.data(), got.mean_dx2.data(), g.data(), count, options,
              factor);
          for (Index i = 0; i < count; ++i)
            want[static_cast<std::size_t>(i)].step(g.data()[i], options, factor);
        }
        Doubles x, mean_g2, mean_dx2;
        for (const Transcription& t : want) {
          x.push_back(t.x);
          mean_g2.push_back(t.mean_g2);
          mean_dx2.push_back(t.mean_dx2);
        }
        // Six roundings of |x| <= 1; the squares relative to their own magnitude.
        CHECK(largest_error(doubles(got.x.view()), x) <= 5e-7);
        CHECK(largest_error(doubles(got.mean_g2.view()), mean_g2) <= 1e-6);
        CHECK(largest_error(doubles(got.mean_dx2.view()), mean_dx2) <=
              2e-6 * largest_magnitude(mean_dx2));
        CHECK(got.guards_intact());
      }
}

TEST_CASE("adadelta: the first step is known") {
  // With both means at 0 and g large against epsilon, dx = -sqrt(epsilon / (1 - rho)) * sign(g).
  const TestContext ctx;
  for (const auto run : {naive::adadelta, adadelta}) {
    SharedVector<float> x(2), mean_g2(2), mean_dx2(2);
    const SharedVector<float> g = {3, -50};
    run(ctx, x.data(), mean_g2.data(), mean_dx2.data(), g.data(), 2,
        {.rho = 0.95F, .epsilon = 1e-6F}, 1);
    CHECK(near(x[0], -0.00447213, 1e-5));
    CHECK(near(x[1], 0.00447213, 1e-5));
    CHECK(near(mean_g2[0], 0.05 * 9, 1e-6));
    CHECK(near(mean_dx2[0], 0.05 * 1e-6 / 0.05, 1e-4));
  }
}

TEST_CASE("adadelta: PyTorch 1.13's values") {
  // torch.optim.Adadelta(lr = 1, rho = 0.95, eps = 1e-6), float64, five steps on sum(x^2).
  const TestContext ctx;
  const Doubles want = {0.977340677475, -1.977276730295, 0.477469266838};
  for (const auto run : {naive::adadelta, adadelta}) {
    State state(3);
    const float start[] = {1, -2, 0.5F};
    for (Index i = 0; i < 3; ++i) state.x.data()[i] = start[i];
    for (int step = 0; step < 5; ++step) {
      SharedVector<float> g(3);
      for (std::size_t i = 0; i < 3; ++i) g[i] = 2 * state.x.data()[i];
      run(ctx, state.x.data(), state.mean_g2.data(), state.mean_dx2.data(), g.data(), 3, {}, 1);
    }
    CHECK(largest_error(doubles(state.x.view()), want) <= 1e-6);
  }
}

TEST_CASE("adadelta: the same bits for 1, 2 and 3 threads; nothing to do is fine") {
  const Index count = 50001;
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const TestContext ctx(0, threads);
    Random random(2);
    State state(count);
    GuardedTensor g(vector(count));
    state.x.fill_uniform(random);
    g.fill_uniform(random);
    adadelta(ctx, state.x.data(), state.mean_g2.data(), state.mean_dx2.data(), g.data(), count, {},
             1);
    results.push_back(state.x.values());
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
  const TestContext ctx;
  adadelta(ctx, nullptr, nullptr, nullptr, nullptr, 0, {}, 1);
}

TEST_CASE("adadelta: options without meaning throw") {
  const TestContext ctx;
  float v[] = {1};
  CHECK_THROWS_AS(adadelta(ctx, v, v, v, v, 1, {.rho = 1}, 1), Error);
  CHECK_THROWS_AS(adadelta(ctx, v, v, v, v, 1, {.epsilon = 0}, 1), Error);
  CHECK_THROWS_AS(adadelta(ctx, v, v, v, v, -1, {}, 1), Error);
}

}  // namespace
}  // namespace twinage
