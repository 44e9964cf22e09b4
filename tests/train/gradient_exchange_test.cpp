// The exchange of gradients by itself, of a network's arena, with threads for ranks.
#include "train/gradient_exchange.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "siamese/twin_network.h"
#include "tests/support/thread_ranks.h"

namespace twinage {
namespace {

// Counts what is begun.
class Counting final : public Communicator {
 public:
  explicit Counting(Communicator& all) : all_(all) {}
  int rank() const override { return all_.rank(); }
  int size() const override { return all_.size(); }
  void gather(void* all, std::span<const std::size_t> bytes) override { all_.gather(all, bytes); }
  int begin_exchange(void* to, const void* from, std::span<const std::size_t> sizes) override {
    ++begun;
    return all_.begin_exchange(to, from, sizes);
  }
  void finish(int number) override { all_.finish(number); }
  void broadcast(void* data, std::size_t bytes) override { all_.broadcast(data, bytes); }

  int begun = 0;

 private:
  Communicator& all_;
};

// Every gradient of rank r is r + 1; backward goes from the last parameter to the first.
int exchange(Communicator& ranks, ParameterArena& arena) {
  Counting all(ranks);
  const Shards shards(ranks.size(), ranks.size(), &all);
  GradientExchange exchange(shards, arena);
  std::fill_n(arena.gradients().data(), arena.gradients().size(),
              static_cast<float>(ranks.rank() + 1));
  exchange.begin_step();
  Index end = arena.gradients().size();
  for (auto offset = arena.offsets().rbegin(); offset != arena.offsets().rend(); ++offset) {
    exchange.whole(arena.gradients().data() + *offset, end - *offset);
    end = *offset;
  }
  exchange.finish();
  return all.begun;
}

TEST_CASE("gradient exchange: the sum on all ranks; of more than eight in larger buckets") {
  const Preset preset{"narrow", "inception_v3_compact", 65, 67, 0.25};
  int of_two = 0;
  for (const int size : {2, 8, 16, 24}) {
    CAPTURE(size);
    std::vector<int> begun(static_cast<std::size_t>(size));
    test::ThreadRanks(size).run([&](Communicator& ranks) {
      TwinNetwork network(preset, {Task::gender}, {});
      ParameterArena& arena = network.place_on(Device::cpu);
      begun[static_cast<std::size_t>(ranks.rank())] = exchange(ranks, arena);
      const auto sum = static_cast<float>(size * (size + 1) / 2);
      const float* gradients = arena.gradients().data();
      CHECK(std::all_of(gradients, gradients + arena.gradients().size(),
                        [&](float g) { return g == sum; }));
    });
    const int buckets = begun[0];
    for (const int other : begun) CHECK(other == buckets);
    if (size == 2) of_two = buckets;
    CHECK(of_two > 3);
    if (size == 8) CHECK(buckets == of_two);
    // Each ends with a whole parameter, so that they are no exact half.
    if (size == 16) CHECK(buckets <= of_two / 2 + 1);
    if (size == 24) CHECK(buckets <= of_two / 3 + 1);
  }
}

}  // namespace
}  // namespace twinage
