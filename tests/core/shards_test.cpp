#include "core/shards.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/random.h"
#include "tests/support/thread_ranks.h"

namespace twinage {
namespace {

using test::ThreadRanks;

// The tree of core/shards.h, of one number a shard.
float tree_sum(const std::vector<float>& of_shard, Index begin, Index end) {
  if (end - begin == 1) return of_shard[static_cast<std::size_t>(begin)];
  const Index middle = begin + (end - begin) / 2;
  return tree_sum(of_shard, begin, middle) + tree_sum(of_shard, middle, end);
}

TEST_CASE("shards: every image is in one shard, every shard is one rank's, in their order") {
  struct Layout {
    int batch, count, size;
  };
  for (const Layout& layout :
       {Layout{64, 8, 1}, {64, 8, 8}, {64, 8, 3}, {10, 7, 5}, {5, 5, 5}, {6, 4, 2}}) {
    const int batch = layout.batch, count = layout.count, size = layout.size;
    CAPTURE(batch);
    CAPTURE(count);
    CAPTURE(size);
    std::vector<Index> images(static_cast<std::size_t>(size)), shards = images, first = images;
    ThreadRanks(size).run([&](Communicator& ranks) {
      const Shards mine(batch, count, &ranks);
      const auto r = static_cast<std::size_t>(ranks.rank());
      images[r] = mine.images();
      first[r] = mine.first_image();
      shards[r] = std::ssize(mine.mine());
      Index next = 0;
      for (const Shard& shard : mine.mine()) {
        CHECK(shard.first == next);
        CHECK(shard.images >= 1);
        CHECK(shard.images <= mine.largest());
        next += shard.images;
      }
      CHECK(next == mine.images());
    });
    Index before = 0, all = 0;
    for (std::size_t r = 0; r < images.size(); ++r) {
      CHECK(first[r] == before);
      CHECK(shards[r] >= 1);
      before += images[r];
      all += shards[r];
    }
    CHECK(before == batch);
    CHECK(all == count);
  }
}

TEST_CASE("shards: a sum has the bits of the tree for any number of ranks") {
  constexpr Index kShards = 8, kFloats = 37;
  Random random(3);
  std::vector<std::vector<float>> of_shard(kFloats, std::vector<float>(kShards));
  for (auto& values : of_shard)
    for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  int in_order_differs = 0;  // else the test could not tell the tree from a loop
  for (const auto& values : of_shard) {
    float in_order = 0;
    for (const float value : values) in_order += value;
    in_order_differs += in_order != tree_sum(values, 0, kShards);
  }
  CHECK(in_order_differs > 0);
  for (int size = 1; size <= kShards; ++size) {
    CAPTURE(size);
    ThreadRanks(size).run([&](Communicator& ranks) {
      const Shards shards(64, kShards, &ranks);
      const Index begin = shards.mine().front().index, end = shards.mine().back().index + 1;
      std::vector<float> sum, scratch(static_cast<std::size_t>(shards.sum_scratch(kFloats)));
      for (const auto& values : of_shard) sum.push_back(tree_sum(values, begin, end));
      shards.sum_over_ranks(sum.data(), kFloats, scratch.data());
      for (std::size_t i = 0; i < sum.size(); ++i)
        CHECK(sum[i] == tree_sum(of_shard[i], 0, kShards));
    });
  }
}

TEST_CASE("shards: what each rank has of its shards and images, all have after gathering") {
  for (const int size : {1, 2, 3, 5})
    ThreadRanks(size).run([&](Communicator& ranks) {
      const Shards shards(11, 5, &ranks);
      std::vector<float> of_shards(5 * 2, -1), of_images(11 * 3, -1);
      for (const Shard& shard : shards.mine())
        for (Index i = 0; i < 2; ++i)
          of_shards[static_cast<std::size_t>(shard.index * 2 + i)] =
              static_cast<float>(shard.index * 2 + i);
      for (Index i = 0; i < shards.images() * 3; ++i)
        of_images[static_cast<std::size_t>(shards.first_image() * 3 + i)] =
            static_cast<float>(shards.first_image() * 3 + i);
      shards.gather_of_shards(of_shards.data(), 2);
      shards.gather_of_images(of_images.data(), 3);
      for (std::size_t i = 0; i < of_shards.size(); ++i)
        CHECK(of_shards[i] == static_cast<float>(i));
      for (std::size_t i = 0; i < of_images.size(); ++i)
        CHECK(of_images[i] == static_cast<float>(i));
    });
}

TEST_CASE("shards: more shards than faces, and more processes than shards, are refused") {
  CHECK_THROWS_AS(Shards(4, 5), Error);
  CHECK_THROWS_AS(Shards(4, 0), Error);
  CHECK_THROWS_WITH_AS(
      ThreadRanks(3).run([](Communicator& ranks) { Shards(4, 2, &ranks); }),
      doctest::Contains("3 processes share the shards of a batch, and there are 2"), Error);
}

}  // namespace
}  // namespace twinage
