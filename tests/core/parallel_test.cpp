#include "core/parallel.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <pthread.h>

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

namespace {

std::atomic<bool> released{false};

// Keeps the thread it is sent to from running anything else, as a busy machine does; two seconds at
// most, so that a loop that waits for it fails the test and does not hang it.
void hold_this_thread(int) {
  for (int i = 0; i < 2000 && !released; ++i) {
    const timespec millisecond{0, 1000000};
    nanosleep(&millisecond, nullptr);
  }
}

}  // namespace

TEST_CASE("a loop does not wait for a thread that the system delays before its first task") {
  std::atomic<bool> met{false};
  pthread_t worker{};
  parallel_for(2, 2, [&](Index, int thread) {  // the two tasks meet, so that the worker has one
    if (thread == 1) {
      worker = pthread_self();
      met = true;
    }
    while (!met) std::this_thread::yield();
  });
  released = false;
  struct sigaction action {
  }, before{};
  action.sa_handler = hold_this_thread;
  sigaction(SIGUSR1, &action, &before);
  REQUIRE(pthread_kill(worker, SIGUSR1) == 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto start = std::chrono::steady_clock::now();
  // Many loops of different bodies: the late thread must not enter one that has gone.
  for (int loop = 0; loop < 20; ++loop) {
    std::vector<int> runs(100, 0);
    parallel_for(2, 100, [&](Index task, int) { ++runs[static_cast<std::size_t>(task)]; });
    CHECK(runs == std::vector<int>(100, 1));
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  released = true;
  for (int loop = 0; loop < 2000; ++loop) {  // and takes part again, at any moment
    std::vector<int> runs(50, 0);
    parallel_for(2, 50, [&](Index task, int) { ++runs[static_cast<std::size_t>(task)]; });
    REQUIRE(runs == std::vector<int>(50, 1));
  }
  sigaction(SIGUSR1, &before, nullptr);
}
