// What the runner and its checks find in kernels with planted faults.
#include "tests/kernels/simt_faults.h"

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "kernels/simt/sanitizers.h"
#include "tests/kernels/simt_rig.h"

namespace twinage {
namespace {

using namespace test;

#if defined(TWINAGE_ASAN)
constexpr bool kAsan = true;
#else
constexpr bool kAsan = false;
#endif

// "simt_faults.cu:31" for each line that the fault marks.
std::vector<std::string> marked_lines(const std::string& name) {
  std::ifstream source(planted_source());
  REQUIRE(source.good());
  std::vector<std::string> places;
  std::string line;
  for (int number = 1; std::getline(source, line); ++number) {
    const auto mark = line.find("// fault: ");
    if (mark != line.npos && line.find(name, mark) != line.npos)
      places.push_back("simt_faults.cu:" + std::to_string(number));
  }
  return places;
}

struct Outcome {
  std::string message;  // of the Error, empty without one
  bool right = true;    // the values
};

Outcome run_planted(const Planted& planted, bool faulty, int threads = 2) {
  const SimtContext ctx(threads, kPlantedCount);
  // Whole numbers: their sums are the same in any order.
  std::vector<float> x(kPlantedCount);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i + 1);
  const Array<float> x_there = on_device(x);
  Array<float> y(kPlantedCount, Device::simt);
  Outcome outcome;
  try {
    planted.run(ctx, faulty, y.data(), x_there.data());
  } catch (const Error& error) {
    outcome.message = error.what();
  }
  const std::vector<float> got = on_host(y);
  for (Index i = 0; i < kPlantedCount; ++i)
    if (!(got[static_cast<std::size_t>(i)] == planted.expected(x.data(), i))) outcome.right = false;
  return outcome;
}

// What a child process that does this prints, up to its end by a sanitizer; fails if it ends well.
std::string last_words(const std::function<void()>& deed) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    deed();
    _exit(0);
  }
  close(ends[1]);
  std::string words;
  char part[4096];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;)
    words.append(part, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  return words;
}

TEST_CASE("simt: the correct twins of the planted faults are right and silent, in every order") {
  for (const gpu::Options& options : kAllOptions) {
    const WithOptions scope(options);
    for (const Planted& planted : planted_faults()) {
      CAPTURE(std::string(planted.name));
      const Outcome outcome = run_planted(planted, false);
      CHECK(outcome.message == "");
      CHECK(outcome.right);
    }
  }
}

TEST_CASE("simt: every planted fault shows") {
  for (const Planted& planted : planted_faults()) {
    CAPTURE(std::string(planted.name));
    const std::vector<std::string> places = marked_lines(planted.name);
    REQUIRE_FALSE(places.empty());
    if (kAsan && planted.ends_in_asan) {
      const std::string words = last_words([&] { run_planted(planted, true, 1); });
      CHECK(words.find("AddressSanitizer") != words.npos);
      CHECK(words.find(places[0]) != words.npos);
      continue;
    }
    const Outcome outcome = run_planted(planted, true);
    CAPTURE(outcome.message);
    const char* want = gpu::kChecking ? planted.checked : planted.plain;
    if (want == nullptr) continue;  // this build does not see it: docs/09-cuda-without-a-gpu.md
    if (*want == '\0') {
      CHECK_FALSE(outcome.right);
      continue;
    }
    CHECK(outcome.message.find(want) != outcome.message.npos);
    if (!gpu::kChecking && planted.ends_in_asan) continue;  // only at the end of the block
    CHECK(outcome.message.find(places[0]) != outcome.message.npos);
    if (!gpu::kChecking) continue;
    for (const std::string& place : places)
      CHECK(outcome.message.find(place) != outcome.message.npos);
  }
}

TEST_CASE("simt: an eager copy shows a buffer that is still being read") {
  const WithOptions scope({gpu::Order::forward, 1, true});
  for (const Planted& planted : planted_faults())
    if (std::string(planted.name) == "copy into a read buffer")
      CHECK_FALSE(run_planted(planted, true).right);
}

TEST_CASE("simt: the first block with a fault is the same for 1, 2 and 3 threads") {
  std::vector<std::string> messages;
  for (const int threads : {1, 2, 3})
    for (const Planted& planted : planted_faults())
      if (std::string(planted.name) == "divergent barrier")
        messages.push_back(run_planted(planted, true, threads).message);
  REQUIRE(messages.size() == 3);
  CHECK(messages[0].find("block (0,0,0)") != messages[0].npos);
  CHECK(messages[0] == messages[1]);
  CHECK(messages[0] == messages[2]);
}

}  // namespace
}  // namespace twinage
