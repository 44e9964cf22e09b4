#include "kernels/triplet/triplet.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/distance/distance.h"
#include "tests/kernels/numeric_gradient.h"
#include "tests/support/test_context.h"

namespace twinage {
namespace {

using namespace test;

constexpr auto kKinds = values_of<TripletKind>();

Index pairs_of(Index batch) {
  return batch * (batch - 1) / 2;
}

// Distances of no structure, and ages of which about one in six is within 3 years.
struct Faces {
  Index batch;
  SharedVector<float> d, age;

  Faces(Index faces, Random& random)
      : batch(faces),
        d(static_cast<std::size_t>(pairs_of(faces))),
        age(static_cast<std::size_t>(faces)) {
    for (float& v : d) v = static_cast<float>(random.uniform(0, 3));
    for (float& v : age) v = static_cast<float>(random.below(40));
  }
  Faces(std::initializer_list<float> distances, std::initializer_list<float> ages)
      : batch(static_cast<Index>(ages.size())), d(distances), age(ages) {}

  float gap(Index a, Index b) const {
    return std::fabs(age[static_cast<std::size_t>(a)] - age[static_cast<std::size_t>(b)]);
  }
};

// Outputs of a call, guarded and poisoned.
struct Result {
  GuardedTensor loss, dd, active;
  explicit Result(Index batch)
      : loss(vector(batch)), dd(vector(pairs_of(batch))), active(vector(1)) {}
  bool guards_intact() const {
    return loss.guards_intact() && dd.guards_intact() && active.guards_intact();
  }
};

using Run = decltype(triplet_loss);
constexpr Run* kRuns[] = {naive::triplet_loss, triplet_loss};

Result run_on(Run* run, const Faces& faces, const Triplet& options, float weight = 1,
              int threads = 2) {
  const TestContext planned(0, threads);
  const TestContext ctx(triplet_workspace(planned, faces.batch), threads);
  Result result(faces.batch);
  run(ctx, result.loss.data(), result.dd.data(), result.active.data(), faces.d.data(),
      faces.age.data(), faces.batch, weight, options);
  CHECK(result.guards_intact());
  return result;
}

double sum_of(const GuardedTensor& t) {
  double sum = 0;
  for (const float v : t.values()) sum += v;
  return sum;
}

// The formulas of triplet.h, written once more: over all (a, p, n), with nothing kept in between.
double formula(const Doubles& d, const Faces& faces, const Triplet& options) {
  const Index batch = faces.batch;
  const auto at = [&](Index a, Index b) {
    return d[static_cast<std::size_t>(pair_index(batch, a, b))];
  };
  double sum = 0, count = 0;
  for (Index a = 0; a < batch; ++a) {
    double hardest = -INFINITY;
    for (Index p = 0; p < batch; ++p)
      for (Index n = 0; n < batch; ++n) {
        if (p == a || n == a || faces.gap(a, p) > options.tau || faces.gap(a, n) <= options.tau)
          continue;
        const double l = static_cast<double>(options.margin) + at(a, p) - at(a, n);
        hardest = std::max(hardest, l);
        if (options.kind == TripletKind::hard || l <= 0) continue;
        sum += l;
        ++count;
      }
    if (options.kind == TripletKind::all || hardest == -INFINITY) continue;
    sum += std::max(0.0, hardest);
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

TEST_CASE("triplet_loss: the loss is the formula's, its gradient that of finite differences") {
  Random random(1);
  for (const TripletKind kind : kKinds)
    for (const Index batch : {3, 8, 13}) {
      CAPTURE(to_string(kind));
      CAPTURE(batch);
      const Triplet options = {.kind = kind, .margin = 0.7F, .tau = 6};
      const Faces faces(batch, random);
      const Doubles d(faces.d.begin(), faces.d.end());
      const double want = formula(d, faces, options), weight = 0.3F;
      const Doubles slope = numeric_gradient(
          d, [&](const Doubles& x) { return weight * formula(x, faces, options); });
      if (batch > 3) CHECK((want > 0.1 && largest_magnitude(slope) > 0.005));
      for (Run* run : kRuns) {
        const Result result = run_on(run, faces, options, 0.3F);
        CHECK(near(sum_of(result.loss), want, 1e-6));
        CHECK(largest_error(doubles(result.dd.view()), slope) <= 1e-7);
      }
    }
}

TEST_CASE("triplet_loss: equals naive: the loss to rounding, slopes and share bit for bit") {
  Random random(2);
  for (const TripletKind kind : kKinds)
    for (const Index batch : {1, 2, 5, 64, 127, 129, 200, 300})
      for (const bool tied : {false, true}) {
        CAPTURE(to_string(kind));
        CAPTURE(batch);
        CAPTURE(tied);
        Faces faces(batch, random);
        for (float& d : faces.d)
          if (tied) d = std::round(2 * d) / 2;
        const Triplet options = {.kind = kind, .margin = 0.5F, .tau = 3};
        const Result want = run_on(naive::triplet_loss, faces, options, 0.7F);
        const Result got = run_on(triplet_loss, faces, options, 0.7F);
        CHECK(largest_error(got.loss.view(), want.loss.view()) <=
              2e-6 * largest_magnitude(want.loss.view()));
        if (batch > 1) CHECK(bitwise_equal(got.dd.view(), want.dd.view()));
        CHECK(bitwise_equal(got.active.view(), want.active.view()));
        if (batch > 5)
          CHECK((want.active.data()[0] > 0.1 && largest_magnitude(want.dd.view()) > 0));
      }
}

// Faces 0 and 1 are of one age, 2 and 3 of another: pairs (0,1) (0,2) (0,3) (1,2) (1,3) (2,3).
TEST_CASE("triplet_loss: the values a reader works out by hand") {
  const Faces faces({2, 1, 3, 4, 2.5F, 0.25F}, {20, 23, 60, 61});
  for (Run* run : kRuns) {
    // hard: 0: 1 + 2 - 1, 1: 1 + 2 - 2.5, 2: 1 + 0.25 - 1, 3: 1 + 0.25 - 2.5 < 0; of four anchors
    const Result hard = run_on(run, faces, {TripletKind::hard, 1, 3});
    CHECK(hard.loss.values() == std::vector<float>{0.5F, 0.125F, 0.0625F, 0});
    CHECK(hard.dd.values() == std::vector<float>{0.5F, -0.5F, 0, 0, -0.25F, 0.25F});
    CHECK(hard.active.data()[0] == 0.75F);
    // all: 0 with 2, 1 with 3 and 2 with 0 as above; 0 with 3: 1 + 2 - 3 = 0 and the others are
    // not positive. Of three, not of eight.
    const Result all = run_on(run, faces, {TripletKind::all, 1, 3});
    const std::vector<float> loss = all.loss.values();
    CHECK(near(loss[0], 2.0 / 3, 1e-6));
    CHECK(near(loss[1], 0.5 / 3, 1e-6));
    CHECK(near(loss[2], 0.25 / 3, 1e-6));
    CHECK(loss[3] == 0);
    const float third = 1.0F / 3;
    CHECK(all.dd.values() == std::vector<float>{2 * third, -2 * third, 0, 0, -third, third});
    CHECK(all.active.data()[0] == 0.375F);
  }
}

TEST_CASE("triplet_loss: of equally hard faces the first of the batch counts") {
  // Anchor 0 has the positives 1 and 2, equally far, and the negatives 3 and 4, equally near.
  const Faces faces({2, 2, 1, 1, 0, 9, 9, 9, 9, 9}, {20, 20, 20, 60, 90});
  for (Run* run : kRuns) {
    const Result result = run_on(run, faces, {TripletKind::hard, 1, 0});
    CHECK(result.loss.values() == std::vector<float>{2.0F / 3, 0, 0, 0, 0});
    const float third = 1.0F / 3;
    CHECK(result.dd.values() == std::vector<float>{third, 0, -third, 0, 0, 0, 0, 0, 0, 0});
  }
}

TEST_CASE("triplet_loss: without a triplet, or where all are far enough, loss and gradient are 0") {
  const Faces lists[] = {
      Faces({1, 2, 3}, {20, 21, 22}),  // no negative
      Faces({1, 2, 3}, {20, 40, 60}),  // no positive
      Faces({1, 9, 9}, {20, 21, 60}),  // all far enough
      Faces({1, 2, 2}, {20, 21, 60}),  // just so: l = 0
      Faces({1}, {20, 21}),           Faces({}, {20}),
  };
  for (const TripletKind kind : kKinds)
    for (const Faces& faces : lists)
      for (Run* run : kRuns) {
        const Result result = run_on(run, faces, {kind, 1, 3});
        for (const GuardedTensor* t : {&result.loss, &result.dd, &result.active})
          for (const float v : t->values()) CHECK(v == 0);
      }
}

TEST_CASE("triplet_loss: a NaN distance shows in the loss of every anchor that has it") {
  Random random(3);
  for (const TripletKind kind : kKinds)
    for (const Index other : {1, 200, 299}) {  // one of the anchor's class, others of another
      CAPTURE(other);
      Faces faces(300, random);
      for (Index i = 0; i < 300; ++i)
        faces.age[static_cast<std::size_t>(i)] = i < 150 ? 20.0F : 60.0F;
      faces.d[static_cast<std::size_t>(pair_index(300, 0, other))] = std::nanf("");
      const Result want = run_on(naive::triplet_loss, faces, {kind, 1, 3});
      for (Run* run : kRuns) {
        const Result result = run_on(run, faces, {kind, 1, 3});
        for (Index a = 0; a < 300; ++a)
          CHECK(std::isnan(result.loss.data()[a]) == (a == 0 || a == other));
        CHECK(bitwise_equal(result.dd.view(), want.dd.view()));
      }
    }
}

TEST_CASE("triplet_loss: the same bits for 1, 2 and 3 threads") {
  Random random(4);
  const Faces faces(90, random);
  for (const TripletKind kind : kKinds) {
    const Result one = run_on(triplet_loss, faces, {kind, 1, 3}, 1, 1);
    for (const int threads : {2, 3}) {
      const Result more = run_on(triplet_loss, faces, {kind, 1, 3}, 1, threads);
      CHECK(bitwise_equal(more.loss.view(), one.loss.view()));
      CHECK(bitwise_equal(more.dd.view(), one.dd.view()));
    }
  }
}

TEST_CASE("triplet_loss: a batch of 1024 faces") {
  Random random(5);
  const Faces faces(1024, random);
  for (const TripletKind kind : kKinds) {
    // Under simt a minute with checks on; the 300 faces above are three rounds of a block, too.
    if (kind == TripletKind::all && test_device() == Device::simt) continue;
    const Triplet options = {.kind = kind, .margin = 0.5F, .tau = 3};
    const Result want = run_on(naive::triplet_loss, faces, options);
    const Result got = run_on(triplet_loss, faces, options);
    CHECK(near(sum_of(got.loss), sum_of(want.loss), 1e-6));
    CHECK(bitwise_equal(got.dd.view(), want.dd.view()));
  }
}

TEST_CASE("triplet_loss: options without meaning and batches too large throw") {
  const TestContext ctx(1000);
  SharedVector<float> ones(10, 1);
  float* one = ones.data();
  for (const Triplet& wrong : {Triplet{.margin = 0}, Triplet{.tau = -1}})
    CHECK_THROWS_AS(triplet_loss(ctx, one, one, one, one, one, 3, 1, wrong), Error);
  for (const Index batch : {Index{0}, kMostTripletFaces + 1})
    CHECK_THROWS_AS(triplet_loss(ctx, one, one, one, one, one, batch, 1, {}), Error);
  for (const float v : ones) CHECK(v == 1);
}

TEST_CASE("triplet_loss: a kind that a backend does not know fails in each of them, on the host") {
  const TestContext ctx(1000);
  const Triplet unknown = {.kind = static_cast<TripletKind>(99)};
  SharedVector<float> ones(10, 1);
  float* one = ones.data();
  for (Run* run : {naive::triplet_loss, cpu::triplet_loss, simt::triplet_loss, triplet_loss})
    CHECK_THROWS_WITH_AS(run(ctx, one, one, one, one, one, 3, 1, unknown),
                         "[triplet] unknown kind 99", Error);
  for (const float v : ones) CHECK(v == 1);
}

TEST_CASE("triplet: names come back as they went") {
  for (const TripletKind kind : kKinds) CHECK(parse<TripletKind>(to_string(kind)) == kind);
  CHECK_THROWS_AS(parse<TripletKind>("semihard"), UsageError);
}

}  // namespace
}  // namespace twinage
