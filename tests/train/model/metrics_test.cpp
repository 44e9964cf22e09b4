#include "train/model/metrics.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/random.h"
#include "tests/support/test_context.h"

using namespace twinage;
using test::TestContext;

namespace {

Face face(float age, std::int32_t gender, std::int32_t race) {
  Face result;
  result.age = age;
  result.gender = gender;
  result.race = race;
  return result;
}

AgeEstimate estimate(float age, float half) {
  return {age, age - half, age + half, {}};
}

const GroupMetrics& named(const std::vector<GroupMetrics>& groups, const std::string& name) {
  const auto found = std::ranges::find(groups, name, &GroupMetrics::name);
  REQUIRE(found != groups.end());
  return *found;
}

// Errors -1, +2.5, 0, +8, -3 years.
struct Example {
  std::vector<Face> faces{face(5, 0, 0), face(25, 1, 0), face(29, 1, 4), face(30, -1, 2),
                          face(71, 0, -1)};
  std::vector<AgeEstimate> ages{estimate(4, 1), estimate(27.5F, 2), estimate(29, 1),
                                estimate(38, 9), estimate(68, 2)};
  std::vector<float> female{0.2F, 0.5F, 0.4F, 0.9F, 0.7F};
  std::vector<float> training_ages{10, 20, 60, 30};
  Predictions predictions() const { return {ages, female, {}}; }
};

Metrics metrics_of(const Example& example) {
  const TestContext ctx;
  return compute_metrics(ctx, example.faces, example.predictions(), example.training_ages, {});
}

LabelledDistances random_pairs(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  LabelledDistances pairs;
  for (std::size_t i = 0; i < count; ++i) {
    const bool same = random.chance(0.4);
    pairs.same.push_back(same ? 1 : 0);
    // Whole numbers: many ties.
    pairs.distances.push_back(static_cast<float>(random.below(10) + (same ? 0 : 3)));
  }
  return pairs;
}

}  // namespace

TEST_CASE("metrics: a model without intervals or gender has no figures of them, also in words") {
  const TestContext ctx;
  const Example example;
  Predictions predictions = example.predictions();
  predictions.intervals = false;
  predictions.female = {};
  const Metrics metrics =
      compute_metrics(ctx, example.faces, predictions, example.training_ages, {});
  CHECK(!metrics.all.interval_share);
  CHECK(!metrics.all.interval_width);
  CHECK(!metrics.all.gender_accuracy);
  CHECK(metrics.all.gender_labelled == 4);
  const auto json = to_json(metrics);
  CHECK(json["all"]["interval_share"].is_null());
  CHECK(json["all"]["interval_width_years"].is_null());
  CHECK(json["all"]["gender_accuracy"].is_null());
  const std::string table = to_table(metrics);
  CHECK(table.find("this model has no intervals") != std::string::npos);
  CHECK(table.find("this model reads none") != std::string::npos);
}

TEST_CASE("metrics: all faces, by hand") {
  const Metrics metrics = metrics_of(Example());
  const GroupMetrics& all = metrics.all;
  CHECK(all.count == 5);
  CHECK(all.mae == doctest::Approx(14.5 / 5));
  CHECK(all.median_error == doctest::Approx(2.5));
  CHECK(all.bias == doctest::Approx(6.5 / 5));
  const double cs[16] = {.2, .4, .4, .8, .8, .8, .8, .8, 1, 1, 1, 1, 1, 1, 1, 1};
  for (std::size_t t = 0; t < 16; ++t) CHECK(all.cs[t] == doctest::Approx(cs[t]));
  CHECK(*all.interval_share == doctest::Approx(0.6));  // both ends of an interval belong to it
  CHECK(*all.interval_width == doctest::Approx(6));
  CHECK(all.gender_labelled == 4);
  CHECK(*all.gender_accuracy == doctest::Approx(0.5));
  CHECK(!all.verification);
  CHECK(metrics.training_mean == doctest::Approx(30));
  CHECK(metrics.training_median == doctest::Approx(25));
  CHECK(metrics.mae_of_training_mean == doctest::Approx((25 + 5 + 1 + 0 + 41) / 5.0));
  CHECK(metrics.mae_of_training_median == doctest::Approx((20 + 0 + 4 + 5 + 46) / 5.0));
}

TEST_CASE("metrics: groups hold their faces only; unlabelled ones are a group of their own") {
  const Metrics metrics = metrics_of(Example());
  REQUIRE(metrics.by_decade.size() == 4);  // decades without a face are left out
  CHECK(metrics.by_decade[0].name == "0-9");
  CHECK(metrics.by_decade[3].name == "70-79");
  CHECK(named(metrics.by_decade, "20-29").count == 2);
  CHECK(named(metrics.by_decade, "20-29").mae == doctest::Approx(1.25));
  CHECK(named(metrics.by_decade, "30-39").count == 1);
  CHECK(!named(metrics.by_decade, "30-39").gender_accuracy);
  REQUIRE(metrics.by_gender.size() == 3);
  CHECK(named(metrics.by_gender, "male").mae == doctest::Approx(2));
  CHECK(*named(metrics.by_gender, "male").gender_accuracy == doctest::Approx(0.5));
  CHECK(named(metrics.by_gender, "unknown").count == 1);
  REQUIRE(metrics.by_race.size() == 4);
  CHECK(named(metrics.by_race, "White").count == 2);
  CHECK(named(metrics.by_race, "Other").mae == 0);
  CHECK(named(metrics.by_race, "unknown").mae == doctest::Approx(3));

  Example unlabelled;
  for (Face& f : unlabelled.faces) f.race = f.gender = -1;
  const Metrics without = metrics_of(unlabelled);
  CHECK(without.by_race.empty());
  CHECK(without.by_gender.empty());
  CHECK(!without.all.gender_accuracy);
}

TEST_CASE("metrics: AUC and accuracy agree with their definitions, ties included") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const LabelledDistances pairs = random_pairs(seed, 300);
    double nearer = 0, comparisons = 0;
    for (std::size_t i = 0; i < 300; ++i)
      for (std::size_t j = 0; j < 300; ++j) {
        if (pairs.same[i] == 0 || pairs.same[j] != 0) continue;
        comparisons += 1;
        nearer += pairs.distances[i] < pairs.distances[j]    ? 1
                  : pairs.distances[i] == pairs.distances[j] ? 0.5
                                                             : 0;
      }
    CHECK(roc_auc(pairs) == doctest::Approx(nearer / comparisons).epsilon(1e-12));

    const auto accuracy = [&](float threshold) {
      double right = 0;
      for (std::size_t i = 0; i < 300; ++i)
        right += (pairs.distances[i] <= threshold) == (pairs.same[i] != 0) ? 1 : 0;
      return right / 300;
    };
    const float best = best_threshold(pairs);
    CHECK(verification_accuracy(pairs, best) == doctest::Approx(accuracy(best)));
    for (float threshold = -1; threshold < 14; ++threshold) {
      CHECK(verification_accuracy(pairs, threshold) == doctest::Approx(accuracy(threshold)));
      CHECK(accuracy(best) >= accuracy(threshold));
    }
  }
}

TEST_CASE("metrics: AUC by hand, and what has no AUC") {
  CHECK(roc_auc({{1, 2, 3, 4}, {1, 1, 0, 0}}) == 1);
  CHECK(roc_auc({{1, 2, 3, 4}, {0, 0, 1, 1}}) == 0);
  CHECK(roc_auc({{1, 1, 1, 1}, {0, 1, 1, 0}}) == 0.5);
  CHECK(best_threshold({{1, 2, 3, 4}, {1, 1, 0, 0}}) == 2);
  CHECK(best_threshold({{1, 2}, {0, 1}}) < 1);  // nothing is gained by saying "same" at all
  CHECK_THROWS_AS((void)roc_auc({{1, 2}, {1, 1}}), Error);
  CHECK_THROWS_AS((void)best_threshold({}), Error);
}

TEST_CASE("metrics: pairs are half of either class, the same for the same seed") {
  const TestContext ctx;
  const std::size_t count = 200;
  Random random(5);
  Tensor z(matrix(static_cast<Index>(count), 3));
  std::vector<float> ages;
  for (std::size_t i = 0; i < count; ++i) {
    ages.push_back(static_cast<float>(random.below(80)));
    for (Index c = 0; c < 3; ++c)
      z.view().pixel(static_cast<Index>(i))[c] = c == 0 ? ages.back() / 10 : 0.5F;
  }
  const auto pairs = sample_distances(ctx, z.view(), ages, 3, 1000, 7);
  CHECK(std::ranges::count(pairs.same, 1) == 500);
  CHECK(pairs.distances == sample_distances(ctx, z.view(), ages, 3, 1000, 7).distances);
  CHECK(pairs.distances != sample_distances(ctx, z.view(), ages, 3, 1000, 8).distances);
  CHECK(roc_auc(pairs) == 1);  // z is the age
  CHECK(verification_accuracy(pairs, 0.35F) == 1);
  // No pair of one class: nothing to verify.
  CHECK(sample_distances(ctx, z.view(), std::vector<float>(count, 30), 3, 10, 1).same.empty());
  CHECK(
      sample_distances(ctx, z.view().images(0, 1), std::vector<float>{30}, 3, 10, 1).same.empty());

  Example example;
  Tensor embeddings(matrix(5, 1));
  const float values[] = {0.5F, 2.5F, 2.6F, 2.7F, 7.1F};
  std::copy_n(values, 5, embeddings.data());
  Predictions predictions = example.predictions();
  predictions.embeddings = embeddings.view();
  VerificationOptions options;
  options.threshold = 0.15F;
  options.pairs = 100;
  const auto metrics =
      compute_metrics(ctx, example.faces, predictions, example.training_ages, options);
  // Ages 29 and 30 are the one pair within 3 years, at distance 0.1; 25 and 29, at the same
  // distance, are not.
  REQUIRE(metrics.all.verification);
  CHECK(metrics.all.verification->pairs == 100);
  CHECK(metrics.all.verification->accuracy < 1);
  CHECK(metrics.all.verification->accuracy > 0.8);
  CHECK(metrics.all.verification->auc > 0.8);
  CHECK(!named(metrics.by_decade, "20-29").verification);
}

TEST_CASE("metrics: from ten years on, where some are younger and some are not") {
  const TestContext ctx;
  const Example example;
  const Metrics metrics = metrics_of(example);
  REQUIRE(metrics.ten_and_older);
  CHECK(metrics.ten_and_older->count == 4);
  CHECK(metrics.ten_and_older->mae == doctest::Approx(13.5 / 4));
  CHECK(metrics.ten_and_older->gender_labelled == 3);
  CHECK(*metrics.ten_and_older->gender_accuracy == doctest::Approx(1.0 / 3));
  CHECK(to_table(metrics).find("\nfrom 10       4*") != std::string::npos);
  CHECK(to_json(metrics)["ten_and_older"]["gender_accuracy"] == 1.0 / 3);
  Example mixed;
  for (Face& of_ten : mixed.faces) of_ten.age = 10;
  mixed.faces[0].age = 9.5F;
  CHECK(metrics_of(mixed).ten_and_older->count == 4);
  for (const bool young : {true, false}) {
    Example part;
    for (std::size_t i = 0; i < 5; ++i) part.faces[i].age = young ? 9.5F : 10;
    const Metrics same = metrics_of(part);
    CHECK(!same.ten_and_older);
    CHECK(to_table(same).find("from 10") == std::string::npos);
    CHECK(to_json(same)["ten_and_older"].is_null());
  }
}

TEST_CASE("metrics: groups of fewer than a hundred faces are marked") {
  const TestContext ctx;
  for (const std::size_t young : {99U, 100U}) {
    CAPTURE(young);
    std::vector<Face> faces(200, face(30, 0, 0));
    std::fill_n(faces.begin(), young, face(20, 0, 0));
    faces.resize(100 + young);
    const std::vector<AgeEstimate> ages(faces.size(), estimate(25, 6));
    const std::vector<float> training{20, 30};
    const Metrics metrics = compute_metrics(ctx, faces, {ages, {}, {}}, training, {});
    CHECK(named(metrics.by_decade, "20-29").is_small() == (young == 99));
    CHECK(to_json(metrics)["by_decade"][0]["few_faces"] == (young == 99));
    CHECK(to_json(metrics)["by_decade"][1]["few_faces"] == false);
    const std::string table = to_table(metrics);
    CHECK((table.find("20-29        99*") != std::string::npos) == (young == 99));
    CHECK((table.find("fewer than 100 faces") != std::string::npos) == (young == 99));
  }
}

TEST_CASE("metrics: the table fits 78 columns and prints a dash for what is not known") {
  Example example;
  example.faces[0].gender = -1;
  const TestContext ctx;
  const std::string table = to_table(metrics_of(example));
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 78);
  }
  CHECK(table.find("nan") == std::string::npos);
  CHECK(table.find("20-29") != std::string::npos);
  CHECK(table.find("Asian") != std::string::npos);
  CHECK(table.find(" - ") != std::string::npos);
}

TEST_CASE("metrics: JSON has every group and null for what is not known") {
  const auto json = nlohmann::json::parse(to_json(metrics_of(Example())).dump());
  CHECK(json["all"]["count"] == 5);
  CHECK(json["all"]["ca3"] == json["all"]["cs"][3]);
  CHECK(json["all"]["cs"].size() == 16);
  CHECK(json["by_decade"].size() == 4);
  CHECK(json["by_race"][3]["name"] == "unknown");
  CHECK(json["by_gender"][2]["gender_accuracy"].is_null());
  CHECK(json["all"]["verification"].is_null());
  CHECK(json["baseline"]["training_median_years"] == 25);
}

TEST_CASE("metrics: each figure lies within its bootstrap interval, and JSON has it") {
  const Metrics metrics = metrics_of(Example());
  const GroupMetrics& all = metrics.all;
  const auto holds = [](const std::optional<Spread>& spread, double value) {
    REQUIRE(spread);
    CHECK(spread->low < value);
    CHECK(value < spread->high);
  };
  holds(all.mae_spread, all.mae);
  holds(all.bias_spread, all.bias);
  holds(all.interval_spread, *all.interval_share);
  holds(all.gender_spread, *all.gender_accuracy);
  CHECK(all.mae_spread->low >= 0);
  CHECK(all.mae_spread->high <= 8);  // no mean lies beyond the largest error
  CHECK(all.bias_spread->low >= -3);
  const GroupMetrics& of_one = named(metrics.by_decade, "0-9");  // which says nothing of others
  CHECK_FALSE(of_one.mae_spread.has_value());
  const auto json = nlohmann::json::parse(to_json(metrics).dump());
  CHECK(json["all"]["mae_95"][0] == all.mae_spread->low);
  CHECK(json["all"]["mae_95"][1] == all.mae_spread->high);
  CHECK(json["all"]["gender_accuracy_95"][1] == all.gender_spread->high);
  CHECK(json["by_decade"][0]["mae_95"].is_null());
}

TEST_CASE("metrics: without embeddings no faces are told apart by distance, and that is said") {
  const TestContext ctx;
  const Example example;
  Metrics metrics = metrics_of(example);
  CHECK_FALSE(metrics.verification);
  CHECK_FALSE(metrics.all.verification);
  CHECK(to_json(metrics)["same_class"].is_null());
  CHECK(to_table(metrics).find("AUC: left out") != std::string::npos);

  const Tensor embeddings(matrix(5, 1));
  Predictions predictions = example.predictions();
  predictions.embeddings = embeddings.view();
  metrics = compute_metrics(ctx, example.faces, predictions, example.training_ages,
                            {.tau = 3, .threshold = 0.25F});
  REQUIRE(metrics.verification);
  CHECK(to_json(metrics)["same_class"]["threshold"] == 0.25F);
  CHECK(to_table(metrics).find("AUC: left out") == std::string::npos);
}

TEST_CASE("metrics: lengths that differ, no faces and numbers that are not finite are errors") {
  const TestContext ctx;
  const Example good;
  CHECK_THROWS_AS((void)compute_metrics(ctx, {}, {}, good.training_ages, {}), Error);
  CHECK_THROWS_AS((void)compute_metrics(ctx, good.faces, good.predictions(), {}, {}), Error);
  Example example;
  example.ages.pop_back();
  CHECK_THROWS_AS((void)metrics_of(example), Error);
  example = good;
  example.female[2] = std::nanf("");
  CHECK_THROWS_AS((void)metrics_of(example), Error);
  example = good;
  example.ages[1].high = std::nanf("");
  CHECK_THROWS_AS((void)metrics_of(example), Error);
}
