#include "train/gallery_plan.h"

#include <doctest/doctest.h>

using namespace twinage;

namespace {

TrainConfig with_share(double share) {
  TrainConfig config;
  config.batch = 64;
  config.gallery_max = 20'000;
  config.gallery_share = share;
  return config;
}

}  // namespace

TEST_CASE("a first model has one look at a few hundred faces") {
  const TrainConfig config = with_share(0.1);
  CHECK(first_gallery(config, 16'000, 500) == GalleryPlan{300, 300, false, false});
  CHECK(first_gallery(config, 20, 5) == GalleryPlan{20, 5, false, false});
  CHECK(first_gallery(config, 20, 5).runs() == 25);
}

TEST_CASE("a long run's gallery is whole, with every look") {
  const TrainConfig config = with_share(0.1);
  const GalleryPlan whole = unlimited_gallery(config, 16'000, 500);
  CHECK(whole == GalleryPlan{16'000, 500, true, true});
  CHECK(whole.runs() == 6 * 16'500);
  // A tenth of 3 runs a face and step, less the first model's 600 runs.
  CHECK(full_gallery(config, 16'000, 500, 5188) == whole);
  CHECK(full_gallery(config, 16'000, 500, 5187).references < 16'000);
}

TEST_CASE("a gallery takes no more than its share of training, at any length") {
  for (const double share : {0.01, 0.1, 1.0})
    for (std::uint64_t steps = 1; steps < 100'000; steps = steps * 3 / 2 + 1) {
      CAPTURE(share);
      CAPTURE(steps);
      const TrainConfig config = with_share(share);
      const GalleryPlan first = first_gallery(config, 16'000, 500),
                        plan = full_gallery(config, 16'000, 500, steps);
      if (plan == first) continue;
      CHECK(static_cast<double>(plan.runs() + first.runs()) <=
            share * 3 * 64 * static_cast<double>(steps));
      CHECK(plan.references + plan.held_out >= first.references + first.held_out);
      CHECK(plan.held_out >= first.held_out);
    }
}

TEST_CASE("looks are given up before faces are: first the zooms, then the mirror image") {
  const TrainConfig config = with_share(0.1);
  const auto plan = [&](std::uint64_t steps) { return full_gallery(config, 16'000, 500, steps); };
  // 600 faces at least: 6 looks from 600 + 3600 runs on, 2 from 600 + 1200, 1 from 600 + 600.
  CHECK(plan(219).zooms);
  CHECK(plan(218) == GalleryPlan{1344, 448, true, false});
  CHECK(plan(94).mirror);
  CHECK_FALSE(plan(93).mirror);
  CHECK(plan(63).references + plan(63).held_out == 609);
  CHECK(plan(62) == first_gallery(config, 16'000, 500));
}

TEST_CASE("without an embedding nothing is compared: only held-out faces are looked at") {
  TrainConfig config = with_share(0.1);
  config.objective.heads = {Task::gender, Task::age};
  CHECK(first_gallery(config, 16'000, 500) == GalleryPlan{0, 300, false, false});
  CHECK(first_gallery(config, 16'000, 500).runs() == 300);
  const GalleryPlan whole = unlimited_gallery(config, 16'000, 500);
  CHECK(whole == GalleryPlan{0, 500, true, true});
  // A tenth of 3 runs a face and step, less the first model's 300 runs: 3000 are enough.
  CHECK(full_gallery(config, 16'000, 500, 172) == whole);
  CHECK(full_gallery(config, 16'000, 500, 171) == GalleryPlan{0, 497, true, true});
  CHECK(full_gallery(config, 16'000, 500, 10) == first_gallery(config, 16'000, 500));
}

TEST_CASE("some of a list are spread over all of it") {
  CHECK(spread({1, 2, 3}, 3) == std::vector<Index>{1, 2, 3});
  CHECK(spread({1, 2, 3, 4, 5, 6}, 3) == std::vector<Index>{1, 3, 5});
  CHECK(spread({}, 3).empty());
}
