#include "tools/experiments/child_processes.h"

#include <algorithm>
#include <stdexcept>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;

namespace {

struct Shell {
  test::TemporaryFolder folder;
  std::atomic<bool> stop{false};
  std::vector<int> codes;
  std::vector<std::size_t> order;
  std::size_t running = 0, most = 0;

  bool run(const std::vector<std::string>& scripts, std::size_t at_a_time) {
    std::vector<Job> jobs;
    for (const std::string& script : scripts)
      jobs.push_back({{"-c", script}, folder / (std::to_string(jobs.size()) + ".log")});
    codes.assign(jobs.size(), -1);
    JobHooks hooks;
    hooks.begun = [this](std::size_t) { most = std::max(most, ++running); };
    hooks.ended = [this](std::size_t job, const JobEnd& end) {
      --running;
      codes[job] = end.code;
      order.push_back(job);
      if (on_end) on_end();
    };
    hooks.waiting = [this] {
      if (on_wait) on_wait();
    };
    return run_jobs("/bin/sh", jobs, at_a_time, stop, hooks);
  }
  std::function<void()> on_end, on_wait;
};

}  // namespace

TEST_CASE("each job's exit code is told, and its words are in its log") {
  Shell shell;
  CHECK(
      shell.run({"echo out; echo err >&2", "exit 3", "kill -KILL $$", "read x || echo empty"}, 2));
  CHECK(shell.codes == std::vector<int>{0, 3, 128 + 9, 0});
  CHECK(read_text_file(shell.folder / "0.log") == "out\nerr\n");
  CHECK(read_text_file(shell.folder / "3.log") == "empty\n");
}

TEST_CASE("no more jobs run at a time than are allowed, and all are run") {
  Shell shell;
  CHECK(shell.run({"sleep 0.05", "sleep 0.05", "sleep 0.05", "sleep 0.05", "true"}, 2));
  CHECK(shell.most == 2);
  CHECK(shell.order.size() == 5);
  CHECK(shell.run({}, 1));
}

TEST_CASE("a stop is passed on as SIGINT once, waits for those that save, and starts no others") {
  Shell shell;
  shell.on_wait = [&] { shell.stop = exists(shell.folder / "ready"); };
  const std::string saves =
      fmt::format("trap 'echo saved; exit 130' INT; touch {}; while true; do sleep 0.02; done",
                  (shell.folder / "ready").string());
  CHECK_FALSE(shell.run({saves, "echo never"}, 1));
  CHECK(shell.codes == std::vector<int>{130, -1});
  CHECK(read_text_file(shell.folder / "0.log") == "saved\n");
  CHECK_FALSE(exists(shell.folder / "1.log"));
}

TEST_CASE("where a hook throws the others are stopped and waited for") {
  Shell shell;
  shell.on_end = [] { throw std::runtime_error("full"); };
  const std::string saves = fmt::format(
      "trap 'sleep 0.1; echo saved; exit 130' INT; touch {0}; while true; do sleep 0.02; done",
      (shell.folder / "ready").string());
  const std::string waits =
      fmt::format("while [ ! -e {} ]; do sleep 0.02; done", (shell.folder / "ready").string());
  CHECK_THROWS_WITH(shell.run({saves, waits}, 2), "full");
  CHECK(read_text_file(shell.folder / "0.log") == "saved\n");
}

TEST_CASE("a program that is not there is an error that names it") {
  test::TemporaryFolder folder;
  const std::atomic<bool> stop{false};
  const Job jobs[] = {{{}, folder / "log"}};
  CHECK_THROWS_WITH_AS(run_jobs("/nowhere/twinage", jobs, 1, stop, {}),
                       doctest::Contains("/nowhere/twinage"), Error);
}
