#include "core/processors.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.h"

using namespace twinage;

namespace {

// A machine's root folder with the files that tell a process its quota.
class FakeRoot {
 public:
  void write(const std::string& path, const std::string& text) const {
    const auto file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int quota() const { return cgroup_quota(folder_.path().string()); }

 private:
  test::TemporaryFolder folder_;
};

// 3000 processors with numbers up to 4095, of which the process was given four.
int affinity_of_a_large_machine(pid_t, std::size_t bytes, cpu_set_t* set) {
  if (bytes < 4096 / 8) {
    errno = EINVAL;
    return -1;
  }
  for (std::size_t cpu : {0U, 1023U, 1024U, 4000U}) CPU_SET_S(cpu, bytes, set);
  return 0;
}

}  // namespace

TEST_CASE("without a control group or with one that sets no limit there is no quota") {
  FakeRoot root;
  CHECK(root.quota() == 0);
  root.write("proc/self/cgroup", "0::/user\n");
  root.write("proc/self/mountinfo", "25 20 0:22 / /cg rw - cgroup2 cgroup2 rw\n");
  CHECK(root.quota() == 0);
  root.write("cg/user/cpu.max", "max 100000\n");
  CHECK(root.quota() == 0);
}

TEST_CASE("version 2: the smallest quota on the way up counts, rounded up") {
  FakeRoot root;
  root.write("proc/self/cgroup", "0::/outer/inner\n");
  root.write("proc/self/mountinfo",
             "24 20 0:21 / /proc rw - proc proc rw\n25 20 0:22 / /cg rw shared:4 - cgroup2 c rw\n");
  root.write("cg/outer/inner/cpu.max", "400000 100000\n");
  CHECK(root.quota() == 4);
  root.write("cg/outer/cpu.max", "150000 100000\n");
  CHECK(root.quota() == 2);
  root.write("cg/cpu.max", "10000 100000\n");
  CHECK(root.quota() == 1);
}

TEST_CASE("version 1: the hierarchy of the controller cpu counts, wherever it is mounted") {
  FakeRoot root;
  root.write("proc/self/cgroup", "5:cpuset:/a\n4:cpu,cpuacct:/a/b\n0::/\n");
  root.write("proc/self/mountinfo",
             "30 20 0:30 / /cg\\040set rw - cgroup cgroup rw,cpuset\n"
             "31 20 0:31 / /cg\\040cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  root.write("cg set/a/cpu.cfs_quota_us", "100000\n");  // another controller's: not read
  root.write("cg set/a/cpu.cfs_period_us", "100000\n");
  root.write("cg cpu/a/b/cpu.cfs_quota_us", "-1\n");
  root.write("cg cpu/a/b/cpu.cfs_period_us", "100000\n");
  CHECK(root.quota() == 0);
  root.write("cg cpu/a/cpu.cfs_quota_us", "250000\n");
  root.write("cg cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK(root.quota() == 3);
}

TEST_CASE("in a container the mount shows a part of the hierarchy") {
  FakeRoot root;
  root.write("proc/self/cgroup", "4:cpu:/docker/abc/job\n");
  root.write("proc/self/mountinfo", "31 20 0:31 /docker/abc /cg rw - cgroup cgroup rw,cpu\n");
  root.write("cg/cpu.cfs_quota_us", "200000\n");
  root.write("cg/cpu.cfs_period_us", "100000\n");
  CHECK(root.quota() == 2);
  root.write("cg/job/cpu.cfs_quota_us", "50000\n");
  root.write("cg/job/cpu.cfs_period_us", "100000\n");
  CHECK(root.quota() == 1);
  root.write("proc/self/cgroup", "4:cpu:/elsewhere\n");  // not below what the mount shows
  CHECK(root.quota() == 2);
}

TEST_CASE("what is no number in a control group's files sets no limit") {
  FakeRoot root;
  root.write("proc/self/cgroup", "nonsense\n0::/a\n:\n");
  root.write("proc/self/mountinfo", "25 20 0:22 / /cg rw - cgroup2 c rw\nbroken - line\n");
  for (const char* text : {"", "many 100000", "200000", "200000 0", "0 100000", "-5 100000"}) {
    CAPTURE(text);
    root.write("cg/a/cpu.max", text);
    CHECK(root.quota() == 0);
  }
}

TEST_CASE("a machine may have more than 1024 processors") {
  CHECK(detail::read_affinity(affinity_of_a_large_machine) ==
        std::vector<int>{0, 1023, 1024, 4000});
}

TEST_CASE("a pinned thread runs on one processor and an unpinned one on all again") {
  std::thread([] {
    unpin_this_thread();  // the thread that started this one may be pinned
    const auto given = detail::read_affinity(sched_getaffinity);
    for (int time = 0; time < 2; ++time) {
      pin_this_thread(static_cast<int>(given.size()) - 1);
      CHECK(detail::read_affinity(sched_getaffinity) == std::vector<int>{given.back()});
      unpin_this_thread();
      CHECK(detail::read_affinity(sched_getaffinity) == given);
    }
  }).join();
}
