#include "core/parallel.h"

#include <vector>

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

TEST_CASE("every task runs once, for any number of threads") {
  for (int threads : {1, 2, 3, 8}) {
    std::vector<int> runs(1000, 0);
    parallel_for(threads, 1000, [&](Index task, int thread) {
      REQUIRE(thread < threads);
      ++runs[static_cast<std::size_t>(task)];
    });
    CHECK(runs == std::vector<int>(1000, 1));
  }
}

TEST_CASE("an exception in a task reaches the caller") {
  for (int threads : {1, 2})
    CHECK_THROWS_AS(
        parallel_for(threads, 100, [](Index task, int) { require(task != 57, "task {}", task); }),
        Error);
}
