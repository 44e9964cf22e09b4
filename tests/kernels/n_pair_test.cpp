#include "kernels/n_pair/n_pair.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/batch_loss/batch_loss.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

// Products of no structure, symmetric as they come of z z'.
struct Faces {
  Index batch;
  GuardedTensor s;
  SharedVector<float> age;

  Faces(Index faces, Random& random, float largest = 1.5F)
      : batch(faces), s(matrix(faces, faces), 3), age(static_cast<std::size_t>(faces)) {
    s.fill_uniform(random, -largest, largest);
    for (Index a = 0; a < batch; ++a)
      for (Index b = 0; b < a; ++b) s.view().pixel(a)[b] = s.view().pixel(b)[a];
    for (float& v : age) v = static_cast<float>(random.below(40));
  }
  double gap(Index a, Index b) const {
    return std::fabs(static_cast<double>(age[static_cast<std::size_t>(a)]) -
                     static_cast<double>(age[static_cast<std::size_t>(b)]));
  }
};

struct Result {
  GuardedTensor loss, ds;
  explicit Result(Index batch) : loss(vector(batch)), ds(matrix(batch, batch), 2) {}
  double sum() const {
    double sum = 0;
    for (const float v : loss.values()) sum += v;
    return sum;
  }
};

using Run = decltype(n_pair_loss);
constexpr Run* kRuns[] = {naive::n_pair_loss, n_pair_loss};

Result run_on(Run* run, const Faces& faces, float tau = 4, float weight = 1, int threads = 2) {
  const TestContext planned(0, threads);
  const TestContext ctx(n_pair_workspace(planned, faces.batch), threads);
  Result result(faces.batch);
  run(ctx, result.loss.data(), result.ds.view(), faces.s.view(), faces.age.data(), weight, {tau});
  CHECK((result.loss.guards_intact() && result.ds.guards_intact()));
  return result;
}

// The formula of n_pair.h, once more.
double formula(const Doubles& s, const Faces& f, double tau) {
  const auto S = [&](Index a, Index b) { return s[static_cast<std::size_t>(a * f.batch + b)]; };
  double sum = 0, count = 0, length = 0;
  for (Index a = 0; a < f.batch; ++a) {
    length += S(a, a);
    for (Index p = 0; p < f.batch; ++p) {
      if (p == a || f.gap(a, p) > tau) continue;
      double others = 0;
      for (Index n = 0; n < f.batch; ++n)
        if (f.gap(a, n) > tau) others += std::exp(S(a, n) - S(a, p));
      sum += std::log(1 + others);
      count += 1;
    }
  }
  return (count > 0 ? sum / count : 0) + 0.001 * length / static_cast<double>(f.batch);
}

TEST_CASE("n_pair: the loss is the formula's, its gradient that of finite differences") {
  Random random(1);
  for (const Index batch : {3, 8, 13}) {
    CAPTURE(batch);
    const Faces faces(batch, random);
    const Doubles s = doubles(faces.s.view());
    const double want = formula(s, faces, 4), weight = 0.3F;
    const Doubles slope =
        numeric_gradient(s, [&](const Doubles& x) { return weight * formula(x, faces, 4); });
    Doubles both = slope;  // and its transpose
    for (Index a = 0; a < batch; ++a)
      for (Index b = 0; b < batch; ++b)
        both[static_cast<std::size_t>(a * batch + b)] +=
            slope[static_cast<std::size_t>(b * batch + a)];
    if (batch > 3) CHECK((want > 0.1 && largest_magnitude(both) > 0.005));
    for (Run* run : kRuns) {
      const Result result = run_on(run, faces, 4, 0.3F);
      CHECK(near(result.sum(), want, 2e-6));
      CHECK(largest_error(doubles(result.ds.view()), both) <= 1e-7);
    }
  }
}

TEST_CASE("n_pair: equals naive for all sizes and for products beyond what an exponential holds") {
  Random random(2);
  for (const Index batch : {1, 2, 5, 64, 129, 200})
    for (const float largest : {0.1F, 3.0F, 300.0F}) {
      CAPTURE(batch);
      CAPTURE(largest);
      const Faces faces(batch, random, largest);
      const Result want = run_on(naive::n_pair_loss, faces), got = run_on(n_pair_loss, faces);
      // Of exponents up to 600 a float32 has rounded 6e-5.
      const double tolerance = largest > 3 ? 1e-4 : 2e-6;
      CHECK(largest_error(got.loss.view(), want.loss.view()) <=
            tolerance * largest_magnitude(want.loss.view()));
      CHECK(largest_error(got.ds.view(), want.ds.view()) <=
            tolerance * largest_magnitude(want.ds.view()));
      if (batch > 5) CHECK(want.sum() > 0.1);
    }
}

// Faces 0 and 1 are of one class, 2 and 3 of others; all products are 0 but S(0, 1) = 1.
TEST_CASE("n_pair: the values a reader works out by hand") {
  Random random(3);
  Faces faces(4, random);
  faces.s.fill(0);
  faces.s.view().pixel(0)[1] = faces.s.view().pixel(1)[0] = 1;
  const float ages[] = {20, 22, 50, 80};
  for (std::size_t i = 0; i < 4; ++i) faces.age[i] = ages[i];
  const double l = std::log(1 + 2 * std::exp(-1.0)),
               p = std::exp(-l);  // p: what 1 has of 0's softmax
  for (Run* run : kRuns) {
    const Result result = run_on(run, faces);
    CHECK(near(result.loss.data()[0], l / 2, 1e-6));
    CHECK(near(result.loss.data()[1], l / 2, 1e-6));
    CHECK((result.loss.data()[2] == 0 && result.loss.data()[3] == 0));
    const ConstView ds = result.ds.view();
    CHECK(near(ds.pixel(0)[1], -(1 - p), 1e-5));  // two terms, both ways, of two
    CHECK(near(ds.pixel(0)[2], (1 - p) / 4, 1e-5));
    CHECK(near(ds.pixel(2)[0], (1 - p) / 4, 1e-5));
    CHECK(ds.pixel(2)[3] == 0);
    for (Index a = 0; a < 4; ++a) CHECK(near(ds.pixel(a)[a], 0.0005, 1e-6));  // lambda / batch
  }
}

TEST_CASE("n_pair: without a positive or a negative there is only the length of the embeddings") {
  Random random(4);
  for (const bool equal : {true, false}) {
    Faces faces(5, random);
    for (std::size_t i = 0; i < 5; ++i)
      faces.age[i] = equal ? 20.0F : 20.0F * static_cast<float>(i);
    double length = 0;
    for (Index a = 0; a < 5; ++a) length += faces.s.view().pixel(a)[a];
    for (Run* run : kRuns) {
      const Result result = run_on(run, faces);
      CHECK(near(result.sum(), 0.001 * length / 5, 1e-5));
      for (Index a = 0; a < 5; ++a)
        for (Index b = 0; b < 5; ++b)
          CHECK(near(result.ds.view().pixel(a)[b], a == b ? 0.0004 : 0, 1e-6));
    }
  }
}

TEST_CASE("n_pair: a NaN shows in the loss, and the bits are the same for 1, 2 and 3 threads") {
  Random random(5);
  Faces faces(140, random);
  const Result one = run_on(n_pair_loss, faces, 4, 1, 1);
  for (const int threads : {2, 3}) {
    const Result more = run_on(n_pair_loss, faces, 4, 1, threads);
    CHECK(bitwise_equal(more.loss.view(), one.loss.view()));
    CHECK(bitwise_equal(more.ds.view(), one.ds.view()));
  }
  for (std::size_t i = 0; i < 140; ++i) faces.age[i] = i < 70 ? 20.0F : 60.0F;
  for (const Index other : {0, 1, 139}) {
    Faces broken = faces;
    broken.s.view().pixel(0)[other] = std::nanf("");
    for (Run* run : kRuns) CHECK(std::isnan(run_on(run, broken).loss.data()[0]));
  }
}

TEST_CASE("n_pair: what does not fit throws, with nothing written") {
  const TestContext ctx(1000);
  Random random(6);
  const Faces faces(3, random);
  GuardedTensor loss(vector(3)), ds(matrix(3, 3)), wide(matrix(3, 4));
  const auto run = [&](View to, ConstView s, float tau) {
    n_pair_loss(ctx, loss.data(), to, s, faces.age.data(), 1, {tau});
  };
  CHECK_THROWS_AS(run(ds.view(), faces.s.view(), -1), Error);
  CHECK_THROWS_AS(run(wide.view(), faces.s.view(), 3), Error);
  CHECK_THROWS_AS(run(ds.view(), wide.view(), 3), Error);
  CHECK(std::isnan(loss.data()[0]));
}

}  // namespace
}  // namespace twinage
