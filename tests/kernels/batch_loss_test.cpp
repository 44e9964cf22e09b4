// The losses of a whole batch, all by the same rules; those of triplets have a test of their own.
#include "kernels/batch_loss/batch_loss.h"

#include <functional>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/lifted/lifted.h"
#include "kernels/log_ratio/log_ratio.h"
#include "kernels/rank_n_contrast/rank_n_contrast.h"
#include "kernels/scale_varying_triplet/scale_varying_triplet.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

Index pairs_of(Index batch) {
  return batch * (batch - 1) / 2;
}

// Distances of no structure, and whole ages: some are equal, many gaps are.
struct Faces {
  Index batch;
  SharedVector<float> d, age;

  Faces(Index faces, Random& random, double farthest = 2)
      : batch(faces),
        d(static_cast<std::size_t>(pairs_of(faces))),
        age(static_cast<std::size_t>(faces)) {
    for (float& v : d) v = static_cast<float>(random.uniform(0.05, farthest));
    for (float& v : age) v = static_cast<float>(random.below(40));
  }
  Faces(std::initializer_list<float> distances, std::initializer_list<float> ages)
      : batch(static_cast<Index>(ages.size())), d(distances), age(ages) {}

  double gap(Index a, Index b) const {
    return std::fabs(static_cast<double>(age[static_cast<std::size_t>(a)]) -
                     static_cast<double>(age[static_cast<std::size_t>(b)]));
  }
};

// Outputs of a call, guarded and poisoned. share: of a loss that has none, 0.
struct Result {
  GuardedTensor loss, dd, share;
  explicit Result(Index batch)
      : loss(vector(batch)), dd(vector(pairs_of(batch))), share(vector(1)) {}
  double sum() const {
    double sum = 0;
    for (const float v : loss.values()) sum += v;
    return sum;
  }
};

using Run = void (*)(const Context&, Result&, const Faces&, float weight);
using Distances = std::function<double(Index, Index)>;

// A loss with the options that the tests use.
struct Subject {
  const char* name;
  Run naive, fast;
  Index (*workspace)(const Context&, Index);
  double (*formula)(const Distances& D, const Faces& faces);  // once more, from its header
  bool equal_ages_teach;  // whether it has terms where all ages are equal
};

constexpr LogRatio kLogRatio{.gap_min = 0.5F};
constexpr RankNContrast kRankNContrast{.temperature = 0.7F};
constexpr ScaleVaryingTriplet kScaleVarying{.gap_max = 20};
constexpr Lifted kLifted{.margin = 0.3F, .tau = 4};

template <auto kernel, auto& options>
void run_plain(const Context& ctx, Result& r, const Faces& f, float weight) {
  kernel(ctx, r.loss.data(), r.dd.data(), f.d.data(), f.age.data(), f.batch, weight, options);
  r.share.data()[0] = 0;
}
template <auto kernel, auto& options>
void run_shared(const Context& ctx, Result& r, const Faces& f, float weight) {
  kernel(ctx, r.loss.data(), r.dd.data(), r.share.data(), f.d.data(), f.age.data(), f.batch, weight,
         options);
}

double log_ratio_formula(const Distances& D, const Faces& f) {
  double sum = 0, count = 0;
  const auto d = [&](Index a, Index i) { return std::sqrt(D(a, i) * D(a, i) + 1e-6); };
  const auto g = [&](Index a, Index i) { return std::max(f.gap(a, i), 0.5); };
  for (Index a = 0; a < f.batch; ++a)
    for (Index i = 0; i < f.batch; ++i)
      for (Index j = 0; j < f.batch; ++j) {  // (i, j) and (j, i): the mean is the same
        if (i == a || j == a || i == j || (f.gap(a, i) < 0.5 && f.gap(a, j) < 0.5)) continue;
        const double error = std::log(d(a, i) / d(a, j)) - std::log(g(a, i) / g(a, j));
        sum += error * error;
        count += 1;
      }
  return count > 0 ? sum / count : 0;
}

double rank_n_contrast_formula(const Distances& D, const Faces& f) {
  double sum = 0, count = 0;
  const auto s = [&](Index a, Index i) { return -D(a, i) / static_cast<double>(0.7F); };
  for (Index a = 0; a < f.batch; ++a)
    for (Index j = 0; j < f.batch; ++j) {
      if (j == a) continue;
      double all = 0;
      for (Index k = 0; k < f.batch; ++k)
        if (k != a && f.gap(a, k) >= f.gap(a, j)) all += std::exp(s(a, k));
      sum -= std::log(std::exp(s(a, j)) / all);
      count += 1;
    }
  return count > 0 ? sum / count : 0;
}

double scale_varying_formula(const Distances& D, const Faces& f) {
  double sum = 0, count = 0;
  for (Index a = 0; a < f.batch; ++a)
    for (Index p = 0; p < f.batch; ++p)
      for (Index n = 0; n < f.batch; ++n) {
        if (p == a || n == a || f.gap(a, p) >= f.gap(a, n)) continue;
        const double e = static_cast<double>(0.1F), w = (1 + e) / (f.gap(a, p) / 20 + e);
        sum += w * std::log(1 + std::exp(D(a, p) * D(a, p) - D(a, n) * D(a, n)));
        count += 1;
      }
  return count > 0 ? sum / count : 0;
}

double lifted_formula(const Distances& D, const Faces& f) {
  double sum = 0, count = 0;
  const double m = static_cast<double>(0.3F);
  for (Index i = 0; i < f.batch; ++i)
    for (Index j = i + 1; j < f.batch; ++j) {
      if (f.gap(i, j) > 4) continue;
      double negatives = 0;
      for (Index k = 0; k < f.batch; ++k) {
        if (f.gap(i, k) > 4) negatives += std::exp(m - D(i, k));
        if (f.gap(j, k) > 4) negatives += std::exp(m - D(j, k));
      }
      const double J = std::log(negatives) + D(i, j);
      sum += J > 0 ? J * J : 0;
      count += 1;
    }
  return count > 0 ? sum / (2 * count) : 0;
}

const Subject kSubjects[] = {
    {"log_ratio", run_plain<naive::log_ratio_loss, kLogRatio>, run_plain<log_ratio_loss, kLogRatio>,
     log_ratio_workspace, log_ratio_formula, false},
    {"rank_n_contrast", run_plain<naive::rank_n_contrast_loss, kRankNContrast>,
     run_plain<rank_n_contrast_loss, kRankNContrast>, rank_n_contrast_workspace,
     rank_n_contrast_formula, true},
    {"scale_varying_triplet", run_shared<naive::scale_varying_triplet_loss, kScaleVarying>,
     run_shared<scale_varying_triplet_loss, kScaleVarying>, scale_varying_triplet_workspace,
     scale_varying_formula, false},
    {"lifted", run_shared<naive::lifted_loss, kLifted>, run_shared<lifted_loss, kLifted>,
     lifted_workspace, lifted_formula, false},
};
constexpr int kLogRatioAt = 0, kRankNContrastAt = 1, kScaleVaryingAt = 2, kLiftedAt = 3;

Result run_on(Run run, const Subject& subject, const Faces& faces, float weight = 1,
              int threads = 2) {
  const TestContext planned(0, threads);
  const TestContext ctx(subject.workspace(planned, faces.batch), threads);
  Result result(faces.batch);
  run(ctx, result, faces, weight);
  CHECK((result.loss.guards_intact() && result.dd.guards_intact() && result.share.guards_intact()));
  return result;
}

TEST_CASE("batch_loss: the loss is the formula's, its gradient that of finite differences") {
  Random random(1);
  for (const Subject& subject : kSubjects)
    for (const Index batch : {3, 8, 13}) {
      CAPTURE(subject.name);
      CAPTURE(batch);
      const Faces faces(batch, random);
      const auto formula = [&](const Doubles& x) {
        return subject.formula(
            [&](Index a, Index b) { return x[static_cast<std::size_t>(pair_index(batch, a, b))]; },
            faces);
      };
      const Doubles d(faces.d.begin(), faces.d.end());
      const double want = formula(d), weight = 0.3F;
      const Doubles slope =
          numeric_gradient(d, [&](const Doubles& x) { return weight * formula(x); });
      if (batch > 3) CHECK((want > 0.1 && largest_magnitude(slope) > 0.005));
      for (const Run run : {subject.naive, subject.fast}) {
        const Result result = run_on(run, subject, faces, 0.3F);
        CHECK(near(result.sum(), want, 1e-6));
        CHECK(largest_error(doubles(result.dd.view()), slope) <=
              1e-8 + 1e-6 * largest_magnitude(slope));
      }
    }
}

TEST_CASE("batch_loss: equals naive for all sizes, tied distances, far and near ones") {
  Random random(2);
  for (const Subject& subject : kSubjects)
    for (const Index batch : {1, 2, 5, 64, 129, 200})
      for (const double farthest : {0.2, 2.0, 200.0}) {
        // Triplets in the definition: the last sizes take simt long, and are told once.
        if (batch > 129 && farthest != 2) continue;
        CAPTURE(subject.name);
        CAPTURE(batch);
        CAPTURE(farthest);
        Faces faces(batch, random, farthest);
        for (float& d : faces.d)
          if (batch % 2 == 0) d = std::round(4 * d) / 4;  // tied, and some are 0
        const Result want = run_on(subject.naive, subject, faces, 0.7F);
        const Result got = run_on(subject.fast, subject, faces, 0.7F);
        // Of exponents up to 200 / 0.7 a float32 has rounded 2e-5.
        const double tolerance = farthest > 2 ? 1e-4 : 4e-6;
        CHECK(largest_error(got.loss.view(), want.loss.view()) <=
              tolerance * largest_magnitude(want.loss.view()));
        if (batch > 1)
          CHECK(largest_error(got.dd.view(), want.dd.view()) <=
                tolerance * largest_magnitude(want.dd.view()));
        CHECK(near(got.share.data()[0], want.share.data()[0], 1e-6));
        if (batch > 5) CHECK((want.sum() > 0 && largest_magnitude(want.dd.view()) > 0));
      }
}

TEST_CASE(
    "batch_loss: where all ages are equal, or no other face is, only contrast of ranks has terms") {
  for (const Subject& subject : kSubjects)
    for (const Faces& faces :
         {Faces({1, 2, 3}, {20, 20, 20}), Faces({1}, {20, 20}), Faces({}, {20})})
      for (const Run run : {subject.naive, subject.fast}) {
        CAPTURE(subject.name);
        const Result result = run_on(run, subject, faces);
        const bool teaches = subject.equal_ages_teach && faces.batch > 2;
        CHECK((result.sum() != 0) == teaches);
        if (faces.batch > 1) CHECK((largest_magnitude(result.dd.view()) != 0) == teaches);
        CHECK(result.share.data()[0] == 0);
      }
}

TEST_CASE("batch_loss: a NaN distance shows in the loss") {
  Random random(3);
  for (const Subject& subject : kSubjects)
    for (const Index other : {1, 100, 139}) {
      CAPTURE(subject.name);
      CAPTURE(other);
      Faces faces(140, random);
      for (Index i = 0; i < 140; ++i)
        faces.age[static_cast<std::size_t>(i)] = i < 70 ? 20.0F : 60.0F;
      faces.d[static_cast<std::size_t>(pair_index(140, 0, other))] = std::nanf("");
      for (const Run run : {subject.naive, subject.fast})
        CHECK(std::isnan(run_on(run, subject, faces).sum()));
    }
}

TEST_CASE("batch_loss: the same bits for 1, 2 and 3 threads") {
  Random random(4);
  const Faces faces(90, random);
  for (const Subject& subject : kSubjects) {
    const Result one = run_on(subject.fast, subject, faces, 1, 1);
    for (const int threads : {2, 3}) {
      const Result more = run_on(subject.fast, subject, faces, 1, threads);
      CHECK(bitwise_equal(more.loss.view(), one.loss.view()));
      CHECK(bitwise_equal(more.dd.view(), one.dd.view()));
      CHECK(bitwise_equal(more.share.view(), one.share.view()));
    }
  }
}

// Faces of 20, 30 and 50 years: pairs (0,1) (0,2) (1,2), gaps 10, 30, 20.
TEST_CASE(
    "log_ratio: distances in the ratios of the gaps have no loss, and e times too far has 1") {
  const Subject& subject = kSubjects[kLogRatioAt];
  const float e = std::exp(1.0F);
  for (const Run run : {subject.naive, subject.fast}) {
    CHECK(run_on(run, subject, Faces({1, 3, 2}, {20, 30, 50})).sum() < 1e-5);
    // (0,1) is e times too far: the log of a ratio is 1 off for the anchors 0 and 1, not for 2.
    const Result result = run_on(run, subject, Faces({e, 3, 2}, {20, 30, 50}));
    CHECK(near(result.loss.data()[0], 1.0 / 3, 1e-5));
    CHECK(near(result.loss.data()[1], 1.0 / 3, 1e-5));
    CHECK(std::fabs(result.loss.data()[2]) < 1e-5F);
    // 2 * 1 / D of either anchor and either side, over three triplets
    CHECK(near(result.dd.data()[0], 2 * 2 / (3 * std::exp(1.0)), 1e-5));
    CHECK(near(result.dd.data()[1], -2.0 / 3 / 3, 1e-5));
    CHECK(near(result.dd.data()[2], -2.0 / 3 / 2, 1e-5));
    // Of equal ages: half a year. A tenth of it as far as five years: 0.5 / 5.
    CHECK(run_on(run, subject, Faces({0.1F, 1, 1}, {20, 20, 25})).sum() < 1e-4);
  }
}

// Anchor 0: 1 is nearer in age than 2. l(0, 1) = log(1 + exp(s2 - s1)), l(0, 2) = 0.
TEST_CASE("rank_n_contrast: of those at least as far, the softmax; the farthest has no loss") {
  const Subject& subject = kSubjects[kRankNContrastAt];
  const double t = static_cast<double>(kRankNContrast.temperature);
  for (const Run run : {subject.naive, subject.fast}) {
    const Result result = run_on(run, subject, Faces({1, 2, 2}, {20, 30, 50}));
    // anchor 1: 0 is nearer in age (10 to 20) and in distance: 1 against 2; anchor 2: 1 and 0 tie
    CHECK(near(result.loss.data()[0], std::log1p(std::exp(-1 / t)) / 6, 1e-6));
    CHECK(near(result.loss.data()[1], std::log1p(std::exp(-1 / t)) / 6, 1e-6));
    CHECK(near(result.loss.data()[2], std::log(2.0) / 6, 1e-6));
    const double share = std::exp(-1 / t) / (1 + std::exp(-1 / t));  // wrongly of the farther one
    CHECK(near(result.dd.data()[0], 2 * share / t / 6, 1e-6));
    CHECK(near(result.dd.data()[1], (-share - 0.5) / t / 6, 1e-6));
    CHECK(near(result.dd.data()[2], (-share + 0.5) / t / 6, 1e-6));
    // Equally far in age, both ways: the nearest of two, twice. (log 2 each where D is equal.)
    const Result tied = run_on(run, subject, Faces({1, 1, 1}, {30, 20, 40}));
    CHECK(near(tied.loss.data()[0], 2 * std::log(2.0) / 6, 1e-6));
    CHECK(tied.dd.data()[0] == tied.dd.data()[1]);
  }
}

TEST_CASE("scale_varying_triplet: close ages weigh up to 11 times as much as far ones") {
  const Subject& subject = kSubjects[kScaleVaryingAt];
  for (const Run run : {subject.naive, subject.fast}) {
    // Anchor 0: p = 1 at the gap 0 (w = 11), n = 2; so it is for 1. Anchor 2: a tie, no triplet.
    const Result equal = run_on(run, subject, Faces({1, 1, 1}, {20, 20, 40}));
    CHECK(near(equal.sum(), 11 * std::log(2.0), 1e-6));
    CHECK(equal.loss.data()[2] == 0);
    CHECK(equal.share.data()[0] == 1);  // equally far is not yet right
    // d = 2 D * w / 2 of p, twice (0, 1); its negative of each n
    CHECK(near(equal.dd.data()[0], 11, 1e-6));
    CHECK(near(equal.dd.data()[1], -5.5, 1e-6));
    CHECK(near(equal.dd.data()[2], -5.5, 1e-6));
    // At the gap of 20 = G the scale is 1: anchor 0 has p = 1 at 20, n = 2 at 50; anchor 1 p = 0, n
    // = 2; anchor 2 p = 1 at 30: 1.1 / 1.6.
    const Result far = run_on(run, subject, Faces({1, 2, 2}, {20, 40, 70}));
    CHECK(near(far.loss.data()[0], std::log1p(std::exp(-3.0)) / 3, 1e-5));
    CHECK(near(far.loss.data()[1], std::log1p(std::exp(-3.0)) / 3, 1e-5));
    CHECK(near(far.loss.data()[2], 1.1 / 1.6 * std::log(2.0) / 3, 1e-5));
    CHECK(near(far.share.data()[0], 1.0 / 3, 1e-6));
  }
}

// Faces 0 and 1 are of one class, 2 is of another.
TEST_CASE("lifted: a positive pair against the negatives of both its faces") {
  const Subject& subject = kSubjects[kLiftedAt];
  const double m = static_cast<double>(kLifted.margin);
  for (const Run run : {subject.naive, subject.fast}) {
    // J = log(2 exp(m - 1)) + 1 = log 2 + m
    const double J = std::log(2.0) + m;
    const Result result = run_on(run, subject, Faces({1, 1, 1}, {20, 23, 60}));
    CHECK(near(result.loss.data()[0], J * J / 4, 1e-6));
    CHECK(near(result.loss.data()[1], J * J / 4, 1e-6));
    CHECK(result.loss.data()[2] == 0);
    CHECK(near(result.dd.data()[0], J, 1e-6));
    CHECK(near(result.dd.data()[1], -J / 2, 1e-6));
    CHECK(near(result.dd.data()[2], -J / 2, 1e-6));
    CHECK(result.share.data()[0] == 1);
    // Far enough: nothing to do.
    const Result done = run_on(run, subject, Faces({1, 9, 9}, {20, 23, 60}));
    CHECK((done.sum() == 0 && largest_magnitude(done.dd.view()) == 0));
    CHECK(done.share.data()[0] == 0);
    // Face 3 is of 1's class, not of 0's: 1 has no negative, and its pairs the other's.
    const Result chain = run_on(run, subject, Faces({1, 1, 1, 1, 1, 1}, {20, 23, 26, 60}));
    CHECK(chain.sum() > 0);
    CHECK(run_on(run, subject, Faces({1, 1, 1}, {20, 23, 26})).sum() > 0);   // 0 and 2 are negative
    CHECK(run_on(run, subject, Faces({1, 1, 1}, {20, 40, 60})).sum() == 0);  // no positive
  }
}

TEST_CASE("batch_loss: options without meaning and batches too large throw, with nothing written") {
  const TestContext ctx(1000);
  SharedVector<float> ones(10, 1);
  float* one = ones.data();
  CHECK_THROWS_AS(log_ratio_loss(ctx, one, one, one, one, 3, 1, {.gap_min = 0}), Error);
  CHECK_THROWS_AS(rank_n_contrast_loss(ctx, one, one, one, one, 3, 1, {.temperature = 0}), Error);
  CHECK_THROWS_AS(scale_varying_triplet_loss(ctx, one, one, one, one, one, 3, 1, {.gap_max = 0}),
                  Error);
  for (const Lifted& wrong : {Lifted{.margin = 0}, Lifted{.tau = -1}})
    CHECK_THROWS_AS(lifted_loss(ctx, one, one, one, one, one, 3, 1, wrong), Error);
  for (const Index batch : {Index{0}, kMostBatchFaces + 1}) {
    CHECK_THROWS_AS(log_ratio_loss(ctx, one, one, one, one, batch, 1, {}), Error);
    CHECK_THROWS_AS(rank_n_contrast_loss(ctx, one, one, one, one, batch, 1, {}), Error);
    CHECK_THROWS_AS(scale_varying_triplet_loss(ctx, one, one, one, one, one, batch, 1, {}), Error);
    CHECK_THROWS_AS(lifted_loss(ctx, one, one, one, one, one, batch, 1, {}), Error);
  }
  for (const float v : ones) CHECK(v == 1);
}

TEST_CASE("pair_index: counts the pairs (0, 1), (0, 2), ..., (1, 2), ... either way round") {
  Index next = 0;
  for (Index a = 0; a < 7; ++a)
    for (Index b = a + 1; b < 7; ++b) {
      CHECK(pair_index(7, a, b) == next);
      CHECK(pair_index(7, b, a) == next++);
    }
  CHECK(next == pairs_of(7));
}

}  // namespace
}  // namespace twinage
