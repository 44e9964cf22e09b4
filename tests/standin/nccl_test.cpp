// NCCL's exchanges between several processes, each with a stand-in for a GPU. These cases need to
// be started by mpirun (tests/CMakeLists.txt does): mpirun -n 3 tests_standin --no-skip -ts=ranks
#include <unistd.h>

#include "core/mpi_communicator.h"
#include "core/nccl_communicator.h"
#include "core/shards.h"
#include "kernels/elementwise/elementwise.h"
#include "tests/standin/faults.h"

using namespace twinage;
using namespace twinage::test;
using standin::When;

namespace {

LaunchedRanks& launched() {
  static const std::unique_ptr<LaunchedRanks> ranks = launched_ranks();
  REQUIRE(ranks != nullptr);
  REQUIRE(ranks->size() == 3);
  return *ranks;
}

// Each kind of order, and the same in all processes or another in each.
void in_any_order(const std::function<void(Communicator& host)>& f) {
  const auto rank = static_cast<std::uint64_t>(launched().rank());
  constexpr When kAll[] = {When::late, When::eager, When::shuffled};
  for (const When when : kAll) {
    const WithOptions options(when, 1 + rank);
    f(launched());
  }
  const WithOptions options(kAll[rank % 3], 7);
  f(launched());
}

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.size()));
  tensor.copy_to(values.data(), tensor.size());
  return values;
}

// Rank r's numbers: 100 r + i.
void number(const CudaStream& stream, float* at, Index count, int rank) {
  for (Index i = 0; i < count; ++i)
    fill(on(stream), View(at + i, vector(1)), static_cast<float>(100 * rank + i));
}

FloatOperations operations_on(const CudaStream& stream) {
  return {[&](float* to, const float* from, Index count) {
            copy(on(stream), View(to, vector(count)), ConstView(from, vector(count)));
          },
          [&](float* sum, const float* more, Index count) {
            add(on(stream), View(sum, vector(count)), ConstView(more, vector(count)));
          }};
}

}  // namespace

TEST_SUITE_BEGIN("ranks" * doctest::skip());

TEST_CASE("nccl: what each rank has, all have after gathering, of equal parts and of others") {
  in_any_order([](Communicator& host) {
    CudaStream stream;
    const auto all = nccl_ranks(host, stream, false);
    for (const bool equal : {true, false}) {
      std::vector<std::size_t> bytes;
      Index before = 0, total = 0;
      for (int r = 0; r < host.size(); ++r) {
        const Index count = equal ? 4 : 2 * r;  // the first has nothing
        if (r < host.rank()) before += count;
        total += count;
        bytes.push_back(static_cast<std::size_t>(count) * sizeof(float));
      }
      Tensor x = on_gpu(total);
      const auto mine =
          static_cast<Index>(bytes[static_cast<std::size_t>(host.rank())] / sizeof(float));
      number(stream, x.data() + before, mine, host.rank());
      all->gather(x.data(), bytes);
      const std::vector<float> values = values_of(x);
      std::size_t at = 0;
      for (int r = 0; r < host.size(); ++r)
        for (std::size_t i = 0; i < bytes[static_cast<std::size_t>(r)] / sizeof(float); ++i)
          CHECK(values[at++] == static_cast<float>(100 * r) + static_cast<float>(i));
    }
  });
}

TEST_CASE("nccl: each rank gets its block of every rank, and the first one's broadcast") {
  in_any_order([](Communicator& host) {
    CudaStream stream;
    const auto all = nccl_ranks(host, stream, false);
    const auto size = static_cast<Index>(host.size());
    // Larger than the stand-in's rings, so that it has to go in pieces.
    constexpr Index kCount = 100'000;
    Tensor from = on_gpu(size * kCount), to = on_gpu(size * kCount);
    for (Index r = 0; r < size; ++r)
      fill(on(stream), View(from.data() + r * kCount, vector(kCount)),
           static_cast<float>(10 * host.rank() + static_cast<int>(r)));
    const std::vector<std::size_t> bytes(static_cast<std::size_t>(size), kCount * sizeof(float));
    const int begun = all->begin_exchange(to.data(), from.data(), bytes);
    all->finish(begun);
    const std::vector<float> values = values_of(to);
    for (Index r = 0; r < size; ++r)
      for (const Index i : {Index{0}, kCount - 1})
        CHECK(values[static_cast<std::size_t>(r * kCount + i)] ==
              static_cast<float>(10 * r + host.rank()));
    Tensor one = on_gpu(3);
    number(stream, one.data(), 3, host.rank() + 5);
    all->broadcast(one.data(), 3 * sizeof(float));
    CHECK(values_of(one) == std::vector<float>{500, 501, 502});
  });
}

TEST_CASE("nccl: messages that fill the way between two ranks, the next one's beginning too") {
  Communicator& host = launched();
  CudaStream stream;
  const auto all = nccl_ranks(host, stream, false);
  // The stand-in's rings hold 2^18 bytes: this and its 16 of what it is leave 8.
  constexpr Index kCount = (Index{1} << 16) - 6;
  Tensor large = on_gpu(kCount), small = on_gpu(3);
  fill(on(stream), large.view(), static_cast<float>(host.rank() + 1));
  number(stream, small.data(), 3, host.rank() + 1);
  if (host.rank() > 0) ::usleep(50'000);  // the first one is there before
  all->broadcast(large.data(), kCount * sizeof(float));
  all->broadcast(small.data(), 3 * sizeof(float));
  CHECK(values_of(small) == std::vector<float>{100, 101, 102});
  CHECK(values_of(large) == std::vector<float>(kCount, 1.0F));
}

TEST_CASE("nccl: sums are the tree's, or NCCL's own where it was asked for") {
  in_any_order([](Communicator& host) {
    for (const bool adds : {false, true}) {
      CudaStream stream;
      const auto all = nccl_ranks(host, stream, adds);
      Shards shards(12, 6, all.get());
      shards.compute_by(operations_on(stream));
      constexpr Index kCount = 40;
      // 2^24 + 1 is 2^24, and so the order of additions shows.
      Tensor sum = on_gpu(kCount), scratch = on_gpu(std::max<Index>(1, shards.sum_scratch(kCount)));
      fill(on(stream), sum.view(), host.rank() == 0 ? 16777216.0F : 1.0F);
      shards.sum_over_ranks(sum.data(), kCount, scratch.data());
      const std::vector<float> values = values_of(sum);
      // The tree of three ranks is ((0, 1), 2). NCCL's ring begins each third with another rank,
      // and 1 + 1 + 2^24 is not 2^24 + 1 + 1.
      CHECK(values.front() == 16777216.0F);
      CHECK(values.at(kCount / 2) == (adds ? 16777218.0F : 16777216.0F));
      CHECK(values.back() == 16777216.0F);
    }
  });
}

TEST_CASE("nccl: an exchange is recorded with the work around it, and replayed") {
  in_any_order([](Communicator& host) {
    CudaStream stream;
    CudaGraph graph;
    const auto all = nccl_ranks(host, stream, false);
    const auto size = static_cast<Index>(host.size());
    Tensor x = on_gpu(size), one = on_gpu(size);
    fill(on(stream), one.view(), 1);
    const std::vector<std::size_t> bytes(static_cast<std::size_t>(size), sizeof(float));
    const std::string refused = graph.record(stream, [&] {
      add(on(stream), x.view(), one.view());
      all->gather(x.data(), bytes);
      add(on(stream), x.view(), x.view());
    });
    CHECK(refused == "");
    float expected = 0;
    for (int i = 0; i < 3; ++i) {
      graph.launch(stream);
      expected = 2 * (expected + 1);
    }
    CHECK(values_of(x) == std::vector<float>(static_cast<std::size_t>(size), expected));
  });
}

TEST_CASE("nccl fault: ranks that do not agree on the bytes, memory that is no GPU's") {
  Communicator& host = launched();
  CudaStream stream;
  const auto all = nccl_ranks(host, stream, false);
  Faults faults;
  float pageable = 0;
  CHECK_THROWS_AS(all->broadcast(&pageable, sizeof pageable), Error);
  CHECK(says(faults.first(), {"ncclBroadcast of pageable memory of the host"}));
  // Last, for the GPU computes nothing after that.
  Tensor x = on_gpu(8);
  all->broadcast(x.data(), host.rank() == 0 ? 8 : 4);
  try {
    stream.synchronize();
  } catch (const Error&) {
  }
  if (host.rank() > 0)
    CHECK(says(faults.first(), {"ncclBroadcast expects 4 bytes of rank 0 in its operation 1, and "
                                "gets 8 bytes of its operation 1"}));
  launched().end("");
}

TEST_SUITE_END();
