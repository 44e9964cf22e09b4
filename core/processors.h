// The processors this process may use: those its affinity names, as many as its CPU quota buys.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sched.h>

namespace twinage {

// Threads worth using: one for each processor this process may run on, but no more than the quota
// of its control group (a container's limit) buys: more would be stopped together, in the middle of
// a loop, whenever the quota of a period is spent.
int hardware_threads();

// What hardware_threads() came from: "2 of 64 processors: cgroup quota", "8 processors".
std::string describe_processors();
// "AMD EPYC 9R14", as the system calls it.
std::string processor_name();

// Processors that the quota of the process's control group and of all above it buys, the smallest
// of them rounded up; 0 where none is set. cgroup v1 (cpu.cfs_quota_us, cpu.cfs_period_us) and v2
// (cpu.max). Reads `root`/proc/self/cgroup, `root`/proc/self/mountinfo and what they name below
// `root`, "" for the machine's own; what cannot be read sets no limit.
int cgroup_quota(const std::string& root = "");

// Pins the calling thread to the (index)-th processor this process was given; beyond the last one,
// and where the system refuses, it stays where it is.
void pin_this_thread(int index);

// Lets the calling thread run on any processor again: for threads that were started by a pinned
// one and do other work (decoding pictures).
void unpin_this_thread();

// Processes that were given the same processors (processors_hash() tells) divide them up: this one
// takes part `part` of `parts`. To be called before anything that depends on them. False: there are
// too few for each to have one of its own.
bool take_part_of_processors(int part, int parts);
std::uint64_t processors_hash();

namespace detail {
// The numbers of the processors that `get` (sched_getaffinity, or a test's) reports, ascending;
// however many the machine has: the system refuses a set that is smaller than its own.
std::vector<int> read_affinity(int (*get)(pid_t, std::size_t, cpu_set_t*));
}  // namespace detail

}  // namespace twinage
