#include "siamese/pairs.h"

#include <cmath>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/triplet/triplet.h"

using namespace twinage;

namespace {

std::vector<float> random_ages(std::uint64_t seed, std::size_t faces) {
  Random random(seed);
  std::vector<float> ages;
  for (std::size_t i = 0; i < faces; ++i) ages.push_back(static_cast<float>(random.below(90)));
  return ages;
}

float gap_of(const std::vector<float>& ages, const std::vector<Index>& faces, std::size_t p) {
  const std::size_t pairs = faces.size() / 2;
  return std::fabs(ages[static_cast<std::size_t>(faces[p])] -
                   ages[static_cast<std::size_t>(faces[pairs + p])]);
}

PairLoss within(float tau) {
  PairLoss loss;
  loss.kind = PairLossKind::revised_contrastive;
  loss.tau = tau;
  return loss;
}

}  // namespace

TEST_CASE("pair modes: names go both ways") {
  for (const PairMode mode : {PairMode::sampled, PairMode::all})
    CHECK(parse<PairMode>(to_string(mode)) == mode);
  CHECK_THROWS_AS((void)parse<PairMode>("some"), UsageError);
}

TEST_CASE("pairs of a batch: face p with face P + p, or every two faces once") {
  const auto sampled = pairs_of_batch(PairMode::sampled, 6);
  REQUIRE(sampled.size() == 3);
  for (std::int32_t p = 0; p < 3; ++p) {
    CHECK(sampled[static_cast<std::size_t>(p)].a == p);
    CHECK(sampled[static_cast<std::size_t>(p)].b == 3 + p);
  }
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  for (const IndexPair& pair : pairs_of_batch(PairMode::all, 7)) {
    CHECK(0 <= pair.a);
    CHECK(pair.a < pair.b);
    CHECK(pair.b < 7);
    seen.insert({pair.a, pair.b});
  }
  CHECK(seen.size() == 21);
  // Losses of whole batches find the distance of two faces by this.
  const auto all = pairs_of_batch(PairMode::all, 7);
  for (std::size_t p = 0; p < all.size(); ++p)
    CHECK(pair_index(7, all[p].a, all[p].b) == static_cast<Index>(p));
  CHECK_THROWS_AS((void)pairs_of_batch(PairMode::sampled, 5), Error);
  CHECK_THROWS_AS((void)pairs_of_batch(PairMode::all, 1), Error);
}

TEST_CASE("pair sampler: the share of positive pairs is exact and evenly spread") {
  const std::vector<float> ages = random_ages(1, 300);
  for (const double share : {0.0, 0.1, 0.25, 0.5, 1.0 / 3, 0.9, 1.0})
    for (const Index pairs : {1, 2, 7, 32}) {
      CAPTURE(share);
      CAPTURE(pairs);
      Random random(2, static_cast<std::uint64_t>(pairs));
      const auto faces = PairSampler(ages, 3, share).sample(random, pairs);
      REQUIRE(faces.size() == static_cast<std::size_t>(2 * pairs));
      const auto wanted = std::llround(share * static_cast<double>(pairs));
      long long positives = 0;
      for (Index p = 0; p < pairs; ++p) {
        const auto i = static_cast<std::size_t>(p);
        CHECK(faces[i] != faces[i + static_cast<std::size_t>(pairs)]);
        positives += gap_of(ages, faces, i) <= 3 ? 1 : 0;
        // Any beginning of the list has its share, too.
        const double expected = static_cast<double>((p + 1) * wanted) / static_cast<double>(pairs);
        CHECK(std::fabs(static_cast<double>(positives) - expected) < 1);
      }
      CHECK(positives == wanted);
    }
}

TEST_CASE("pair sampler: the same numbers give the same pairs, every face is drawn") {
  const std::vector<float> ages = random_ages(3, 100);
  const PairSampler sampler(ages, 3, 0.5);
  Random a(7), b(7), c(8);
  const auto first = sampler.sample(a, 64);
  CHECK(first == sampler.sample(b, 64));
  CHECK(first != sampler.sample(c, 64));
  std::set<Index> seen;
  for (int batch = 0; batch < 40; ++batch)
    for (const Index face : sampler.sample(a, 64)) seen.insert(face);
  CHECK(seen.size() == 100);
}

TEST_CASE("pair sampler: partners are drawn uniformly, ages at exactly tau are the same class") {
  // Of face 0 the faces 1 to 3 are partners of the same class (3 at exactly tau), 4 and 5 are not.
  const std::vector<float> ages{20, 20, 22, 23, 40, 23.5F};
  for (const double share : {1.0, 0.0}) {
    const PairSampler sampler(ages, 3, share);
    Random random(11);
    std::map<Index, int> partners;
    int first_is_0 = 0;
    const auto faces = sampler.sample(random, 60'000);
    for (std::size_t p = 0; p < 60'000; ++p)
      if (faces[p] == 0) {
        ++partners[faces[60'000 + p]];
        ++first_is_0;
      }
    // Faces 0, 1, 2, 3 and 5 have a positive partner, all six a negative one.
    CHECK(std::fabs(first_is_0 - (share == 1 ? 12'000 : 10'000)) < 500);
    const std::set<Index> wanted = share == 1 ? std::set<Index>{1, 2, 3} : std::set<Index>{4, 5};
    CHECK(partners.size() == wanted.size());
    for (const auto& [partner, count] : partners) {
      CHECK(wanted.count(partner) == 1);
      CHECK(std::fabs(count - first_is_0 / static_cast<double>(wanted.size())) < 300);
    }
  }
}

TEST_CASE("pair sampler: first faces are drawn by their weights, partners as without") {
  const std::vector<float> ages{20, 21, 60, 61, 90};  // 90 has no partner of the same class
  const std::vector<double> weights{1, 2, 3, 4, 10};
  for (const double share : {1.0, 0.0}) {
    const PairSampler sampler(ages, 3, share, weights);
    Random random(12);
    std::map<Index, int> firsts, partners_of_0;
    const auto faces = sampler.sample(random, 60'000);
    for (std::size_t p = 0; p < 60'000; ++p) {
      ++firsts[faces[p]];
      if (faces[p] == 0) ++partners_of_0[faces[60'000 + p]];
    }
    const double all = share == 1 ? 10 : 20;
    for (const auto& [face, count] : firsts)
      CHECK(std::fabs(count - 60'000 * weights[static_cast<std::size_t>(face)] / all) < 500);
    CHECK(firsts.size() == (share == 1 ? 4U : 5U));
    CHECK(partners_of_0.size() == (share == 1 ? 1U : 3U));
    for (const auto& [partner, count] : partners_of_0)
      CHECK(std::fabs(count - firsts[0] / static_cast<double>(partners_of_0.size())) < 150);
  }
}

TEST_CASE("pair sampler: what cannot be drawn is an error") {
  const std::vector<float> apart{10, 20, 30}, equal{5, 5, 5}, one{5};
  const std::vector<float> with_nan{5, std::nanf("")};
  CHECK_THROWS_AS(PairSampler(apart, 3, 0.5), Error);
  CHECK_THROWS_AS(PairSampler(equal, 3, 0.5), Error);
  CHECK_THROWS_AS(PairSampler(one, 3, 1.0), Error);
  CHECK_THROWS_AS(PairSampler({}, 3, 0.5), Error);
  CHECK_THROWS_AS(PairSampler(with_nan, 3, 0.5), Error);
  CHECK_THROWS_AS(PairSampler(apart, -1, 0.5), Error);
  CHECK_THROWS_AS(PairSampler(apart, 3, 1.5), Error);
  for (const std::vector<double>& bad : {std::vector<double>{1, 1}, {1, 0, 1}, {1, -1, 1}})
    CHECK_THROWS_WITH_AS(PairSampler(apart, 3, 0.0, bad), doctest::Contains("weight"), Error);
  Random random(1);
  CHECK(PairSampler(apart, 3, 0.0).sample(random, 4).size() == 8);
  CHECK(PairSampler(equal, 3, 1.0).sample(random, 4).size() == 8);
  CHECK_THROWS_AS((void)PairSampler(equal, 3, 1.0).sample(random, 0), Error);
}

TEST_CASE("pair weights: equal, or one half for each kind") {
  const std::vector<float> gaps{0, 10, 3, 20, 30};
  for (const float w : pair_weights(gaps, within(3), false)) CHECK(w == doctest::Approx(0.2));
  const auto balanced = pair_weights(gaps, within(3), true);
  const std::vector<double> expected{0.25, 1.0 / 6, 0.25, 1.0 / 6, 1.0 / 6};
  for (std::size_t p = 0; p < gaps.size(); ++p) CHECK(balanced[p] == doctest::Approx(expected[p]));
  for (const float tau : {-1.0F, 100.0F})  // one kind only: it gets all of the weight
    for (const float w : pair_weights(gaps, within(tau), true)) CHECK(w == doctest::Approx(0.2));
  CHECK(pair_weights({}, within(3), true).empty());
}

TEST_CASE("pairs of a batch: a mode that nobody knows is refused") {
  CHECK_THROWS_AS(pairs_of_batch(static_cast<PairMode>(2), 8), Error);
  CHECK_THROWS_AS(to_string(static_cast<PairMode>(2)), Error);
}
