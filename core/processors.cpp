#include "core/processors.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <new>

#include "core/error.h"

namespace twinage {
namespace {

// A set of processors of any size: a plain cpu_set_t ends at 1024.
class Processors {
 public:
  explicit Processors(std::size_t capacity)
      : capacity_(capacity), set_(CPU_ALLOC(capacity), [](cpu_set_t* s) { CPU_FREE(s); }) {
    if (set_ == nullptr)
      throw std::bad_alloc();  // before main() begins, too (tools/out_of_memory.h)
    CPU_ZERO_S(bytes(), get());
  }
  std::size_t capacity() const { return capacity_; }
  std::size_t bytes() const { return CPU_ALLOC_SIZE(capacity_); }
  cpu_set_t* get() const { return set_.get(); }
  bool has(std::size_t cpu) const { return CPU_ISSET_S(cpu, bytes(), get()); }
  void add(std::size_t cpu) { CPU_SET_S(cpu, bytes(), get()); }

 private:
  std::size_t capacity_;
  std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set_;
};

// The processors this process was given, read before any thread is pinned.
std::vector<int>& given_processors() {
  static std::vector<int> given = detail::read_affinity(sched_getaffinity);
  return given;
}

// Those of them that the quota buys.
int bought_processors() {
  const int given = std::max(1, static_cast<int>(given_processors().size()));
  const int quota = cgroup_quota();
  return quota > 0 ? std::min(quota, given) : given;
}

// Read at start-up, on the main thread, before anything can be pinned.
[[maybe_unused]] const std::size_t kProcessorsAtStart = given_processors().size();

thread_local int pinned_to = -1;  // index of the processor; -1: none

// Lets the calling thread run on the given processors only; whether the system agreed.
bool confine_this_thread(const int* first, const int* last) {
  if (first == last) return false;
  Processors wanted(static_cast<std::size_t>(last[-1]) + 1);
  for (const int* cpu = first; cpu != last; ++cpu) wanted.add(static_cast<std::size_t>(*cpu));
  return sched_setaffinity(0, wanted.bytes(), wanted.get()) == 0;
}

}  // namespace

std::vector<int> detail::read_affinity(int (*get)(pid_t, std::size_t, cpu_set_t*)) {
  std::vector<int> numbers;
  for (std::size_t capacity = CPU_SETSIZE; capacity <= (std::size_t{1} << 20); capacity *= 2) {
    const Processors all(capacity);
    if (get(0, all.bytes(), all.get()) != 0) {
      if (errno == EINVAL) continue;
      break;
    }
    for (std::size_t cpu = 0; cpu < capacity; ++cpu)
      if (all.has(cpu)) numbers.push_back(static_cast<int>(cpu));
    break;
  }
  return numbers;
}

int hardware_threads() {
  static const int threads = bought_processors();
  return threads;
}

bool take_part_of_processors(int part, int parts) {
  std::vector<int>& given = given_processors();
  const int count = bought_processors();
  if (parts <= 1 || given.empty()) return true;
  const int first = part * count / parts, end = std::max(first + 1, (part + 1) * count / parts);
  given = {given.begin() + first, given.begin() + end};
  return parts <= count;
}

std::uint64_t processors_hash() {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325;  // FNV-1a
  for (const int cpu : given_processors())
    hash = (hash ^ static_cast<std::uint64_t>(cpu)) * 0x100'0000'01B3;
  return hash;
}

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "an unnamed processor";
}

std::string describe_processors() {
  const int threads = hardware_threads();
  const int given = std::max(1, static_cast<int>(given_processors().size()));
  if (threads == given) return fmt::format("{} processor{}", given, given == 1 ? "" : "s");
  return fmt::format("{} of {} processors: cgroup quota", threads, given);
}

void pin_this_thread(int index) {
  const std::vector<int>& given = given_processors();
  if (pinned_to == index || static_cast<std::size_t>(index) >= given.size()) return;
  const int* one = given.data() + index;
  if (confine_this_thread(one, one + 1)) pinned_to = index;
}

void unpin_this_thread() {
  const std::vector<int>& given = given_processors();
  if (confine_this_thread(given.data(), given.data() + given.size())) pinned_to = -1;
}

}  // namespace twinage
