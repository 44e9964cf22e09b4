#include "train/run_directory.h"

#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "core/files.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
using test::TemporaryFolder;
namespace fs = std::filesystem;

TEST_CASE("one at a time writes a run's files; the next is told who does") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  {
    const RunLock lock(run, 10);
    CHECK_THROWS_WITH_AS(RunLock(run, 10), doctest::Contains("is being written to"), Error);
    CHECK(fs::exists(run.lock()));  // the one who failed took nothing away
  }
  CHECK_FALSE(fs::exists(run.folder()));  // nothing was written into it
  const RunLock again(run, 10);
}

TEST_CASE(
    "of many who come and go all the time at most one holds the lock, and none leaves a file "
    "open") {
  const TemporaryFolder folder;
  const RunDirectory run(folder.path());
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_files();
  std::atomic<int> holders = 0, together = 0, held = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) try {
          const RunLock lock(run, 10);
          together += holders.fetch_add(1);
          ++held;
          --holders;
        } catch (const Error&) {  // another one has it
        }
    });
  threads.clear();
  CHECK(together == 0);
  CHECK(held > 0);
  CHECK(open_files() == before);
}

TEST_CASE("a lock leaves folders that others made, and those with files in them") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a");
  { const RunLock lock(RunDirectory(folder / "a"), 10); }
  CHECK(fs::exists(folder / "a"));
  {
    const RunLock lock(RunDirectory(folder / "a/b/c"), 10);
    write_file_atomically(folder / "a/b/kept", "x");
  }
  CHECK_FALSE(fs::exists(folder / "a/b/c"));
  CHECK(fs::exists(folder / "a/b/kept"));
}

TEST_CASE("a folder that cannot hold the state is refused before the work, and left as it was") {
  const TemporaryFolder folder;
  {
    const test::FileSizeLimit full(4096);
    CHECK_THROWS_AS(RunLock(RunDirectory(folder / "run"), 5000), Error);
  }
  CHECK_FALSE(fs::exists(folder / "run"));
  write_file_atomically(folder / "file", "x");
  CHECK_THROWS_AS(RunLock(RunDirectory(folder / "file"), 10), Error);
  CHECK(read_text_file(folder / "file") == "x");
}

TEST_CASE("a killed run's temporary files go, somebody's lock file stays") {
  const TemporaryFolder folder;
  const RunDirectory run(folder.path());
  write_file_atomically(folder / "state.safetensors.tmp99", "x");
  { const RunLock lock(run, 10); }
  CHECK_FALSE(fs::exists(folder / "state.safetensors.tmp99"));
  const std::string lock_text = [&] {
    const RunLock lock(run, 10);
    return read_text_file(run.lock());
  }();
  for (std::size_t written = 0; written < lock_text.size(); ++written) {  // and then killed
    write_file_atomically(run.lock(), lock_text.substr(0, written));
    CHECK_NOTHROW(RunLock(run, 10));
  }
  write_file_atomically(run.lock(), "my shopping list");
  CHECK_THROWS_WITH_AS(RunLock(run, 10), doctest::Contains("no run wrote it"), Error);
  CHECK(read_text_file(run.lock()) == "my shopping list");
}

TEST_CASE("a run that was killed within its first record may start again, somebody's file stays") {
  const TemporaryFolder folder;
  const RunDirectory run(folder.path());
  const std::string record = "{\"event\":\"step\",\"step\":1}\n";
  for (std::size_t written = 0; written <= record.size(); ++written) {
    write_file_atomically(run.metrics(), record.substr(0, written));
    CHECK_NOTHROW(run.require_new());
  }
  for (const char* others : {"{\"evening\": 1}", "{\"event\":1}\n", "notes"}) {
    write_file_atomically(run.metrics(), others);
    CHECK_THROWS_WITH_AS(run.require_new(), doctest::Contains("no run wrote it"), Error);
  }
}
