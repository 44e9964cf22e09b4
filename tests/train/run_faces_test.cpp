#include "train/run_faces.h"

#include <algorithm>
#include <set>
#include <utility>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "siamese/pairs.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"

using namespace twinage;
using twinage::test::make_faces;
using twinage::test::TemporaryFolder;

namespace {

TrainConfig config_of(const TemporaryFolder& folder) {
  TrainConfig config;
  config.data = (folder / "faces").string();
  config.batch = 8;
  return config;
}

float age_of(const RunFaces& run, Index face) {
  return run.faces.faces[static_cast<std::size_t>(face)].age;
}

}  // namespace

TEST_CASE("a run's faces: none is trained on and held out, and all are one or the other") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 50, 1);
  const auto run = find_run_faces(config_of(folder), 2);
  CHECK(run->held_out() == 10);  // a fifth of a small set
  CHECK(run->training() == 40);
  std::set<Index> all(run->split.training.begin(), run->split.training.end());
  all.insert(run->split.held_out.begin(), run->split.held_out.end());
  CHECK(all.size() == 50);
  CHECK(run->val_store == nullptr);
  CHECK(run->val.empty());
  const auto again = find_run_faces(config_of(folder), 1);
  CHECK(again->split.held_out == run->split.held_out);
}

TEST_CASE(
    "a run's faces: pictures that --val has, too, are not trained on; nothing left is an error") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 50, 1);
  make_faces(folder / "val", 12, 1);  // the first 12 of the same pictures
  TrainConfig config = config_of(folder);
  config.val = (folder / "val").string();
  const auto run = find_run_faces(config, 2);
  CHECK(run->val.size() == 12);
  CHECK(run->training() + run->held_out() == 38);
  config.val = config.data;
  CHECK_THROWS_WITH_AS((void)find_run_faces(config, 2), doctest::Contains("no face is left"),
                       Error);
}

TEST_CASE("a run's faces: as many are kept in memory as it holds, those of --val in what is left") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 50, 1);
  make_faces(folder / "val", 12, 2);
  TrainConfig config = config_of(folder);
  config.val = (folder / "val").string();
  const auto kept = [&](double gigabytes) {
    config.memory_gb = gigabytes;
    const auto run = find_run_faces(config, 2);
    return std::pair(run->store->kept(), run->val_store->kept());
  };
  const double of_face = static_cast<double>(find_run_faces(config, 2)->store->bytes_of_face());
  CHECK(kept(1) == std::pair<Index, Index>(50, 12));
  CHECK(kept(52.5 * of_face * 1e-9) == std::pair<Index, Index>(50, 2));
  CHECK(kept(10.5 * of_face * 1e-9) == std::pair<Index, Index>(10, 0));
}

TEST_CASE("a run's faces: more than half of the pictures damaged is an error that says of which") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 8, 1);
  for (int i = 0; i < 9; ++i)
    write_file_atomically(folder / "faces" / fmt::format("{}_0_0_9.png", 20 + i), "no picture");
  CHECK_THROWS_WITH_AS((void)find_run_faces(config_of(folder), 2),
                       doctest::Contains("9 of 17 pictures cannot be decoded"), Error);
}

TEST_CASE("a run's batches: of training faces only, a function of the step, sampled or shuffled") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 60, 2);
  TrainConfig config = config_of(folder);
  const auto run = find_run_faces(config, 2);
  const std::set<Index> training(run->split.training.begin(), run->split.training.end());
  for (const PairMode mode : {PairMode::all, PairMode::sampled}) {
    CAPTURE(to_string(mode));
    config.objective.loss.pairs = mode;
    const BatchPlan plan = batch_plan(config, *run), other = batch_plan(config, *run);
    CHECK(plan(0) != plan(1));
    for (const std::uint64_t step : {7, 0, 3}) {
      const std::vector<Index> batch = plan(step);
      REQUIRE(batch.size() == 8);
      CHECK(batch == other(step));
      for (const Index face : batch) CHECK(training.contains(face));
    }
  }
  // Sampled: half of the pairs (p, p + 4) are within tau years.
  const std::vector<Index> batch = batch_plan(config, *run)(5);
  int same = 0;
  for (std::size_t p = 0; p < 4; ++p)
    same +=
        std::abs(age_of(*run, batch[p]) - age_of(*run, batch[p + 4])) <= config.objective.loss.tau;
  CHECK(same == 2);
  // A run that is resumed by a later program has to find the batches that this one would form.
  std::vector<float> ages;
  for (const Index face : run->split.training) ages.push_back(age_of(*run, face));
  Random random(config.seed, 0x5041'4952'0000'0000 + 5);
  std::vector<Index> expected =
      PairSampler(ages, config.objective.loss.tau, config.positive_share).sample(random, 4);
  for (Index& face : expected) face = run->split.training[static_cast<std::size_t>(face)];
  CHECK(batch == expected);
  // No pairs are sampled for a network that compares nothing.
  config.objective.heads = {Task::age};
  TrainConfig shuffled = config;
  shuffled.objective.loss.pairs = PairMode::all;
  CHECK(batch_plan(config, *run)(5) == batch_plan(shuffled, *run)(5));
}

TEST_CASE("a run's batches: balanced, the rare half of the ages comes more often, sampled or not") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 60, 2);
  TrainConfig config = config_of(folder);
  const auto run = find_run_faces(config, 2);
  std::vector<float> ages;
  for (const Index face : run->split.training) ages.push_back(age_of(*run, face));
  TrainConfig balanced = config;
  balanced.balance = {.balance = 1, .children = 0};
  const std::vector<double> weights = draw_weights(ages, balanced.balance);
  std::vector<double> order = weights;
  std::ranges::sort(order);
  const auto rare_share = [&](const TrainConfig& c) {
    const BatchPlan plan = batch_plan(c, *run);
    int rare = 0;
    for (std::uint64_t step = 0; step < 600; ++step) {
      const std::vector<Index> batch = plan(step);
      for (std::size_t i = 0; i < 4; ++i) {  // of sampled pairs the first faces
        const auto at = std::ranges::lower_bound(run->split.training, batch[i]);
        rare += weights[static_cast<std::size_t>(at - run->split.training.begin())] >=
                order[order.size() / 2];
      }
    }
    return rare / 2400.0;
  };
  double expected = 0;
  for (const double w : weights) expected += w >= order[order.size() / 2] ? w : 0;
  expected /= static_cast<double>(weights.size());
  for (const PairMode mode : {PairMode::all, PairMode::sampled}) {
    CAPTURE(to_string(mode));
    balanced.objective.loss.pairs = config.objective.loss.pairs = mode;
    CHECK(rare_share(balanced) > rare_share(config) + 0.05);
    if (mode == PairMode::all)
      CHECK(rare_share(balanced) == doctest::Approx(expected).epsilon(0.05));
  }
}
