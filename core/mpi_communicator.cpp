// No sum is MPI's: it may add in any order. It moves bytes only.
#include "core/mpi_communicator.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/output.h"
#include "core/processors.h"

#if TWINAGE_MPI
#include <algorithm>
#include <chrono>
#include <climits>
#include <deque>

#include <mpi.h>
#include <sched.h>
#include <unistd.h>
#endif

namespace twinage {
namespace {

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? -1 : std::atoi(text);
}

// How launchers tell a process how many there are, and which it is.
struct Launcher {
  const char *name, *size, *rank;
};
constexpr Launcher kLaunchers[] = {
    {"mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},  // Open MPI
    {"mpirun", "PMI_SIZE", "PMI_RANK"},                          // MPICH, srun --mpi=pmi2
    {"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
};

const Launcher* launcher_of_several() {
  for (const Launcher& launcher : kLaunchers)
    if (number_in(launcher.size) > 1) return &launcher;
  return nullptr;
}

// One line for all of them: the first process says it.
[[noreturn]] void fail_of_all(const Launcher& launcher, const std::string& text) {
  set_silent(number_in(launcher.rank) > 0);
  throw Error(text);
}

#if TWINAGE_MPI

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int count_of(std::size_t bytes) {
  require(bytes <= INT_MAX, "[ranks] expected at most {} bytes at once, got {}", INT_MAX, bytes);
  return static_cast<int>(bytes);
}

class MpiRanks final : public LaunchedRanks {
 public:
  // A rank that waits longer for the others takes them for hung: the first may write a large file
  // to a slow disk meanwhile.
  static constexpr double kPatience = 300, kLastWords = 3;  // seconds

  MpiRanks() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_dup(MPI_COMM_WORLD, &all_);
    MPI_Comm_dup(MPI_COMM_WORLD, &last_);
    for (const MPI_Comm comm : {all_, last_}) MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(all_, &rank_);
    MPI_Comm_size(all_, &size_);
    MPI_Comm machine;
    MPI_Comm_split_type(all_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &rank_on_machine_);
    MPI_Comm_free(&machine);
    if (const int seconds = number_in("TWINAGE_PATIENCE"); seconds > 0) patience_ = seconds;
  }
  ~MpiRanks() override { MPI_Finalize(); }

  // Whether several ranks share a processor.
  void set_crowded(bool crowded) { crowded_ = crowded; }
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int rank_on_machine() const override { return rank_on_machine_; }

  void gather(void* all, std::span<const std::size_t> bytes) override {
    place(bytes);
    MPI_Request request;
    check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, all, counts_.data(), places_.data(), MPI_BYTE,
                          all_, &request));
    wait(request);
  }

  int begin_exchange(void* to, const void* from, std::span<const std::size_t> sizes) override {
    place(sizes);
    const int mine = counts_[static_cast<std::size_t>(rank_)];
    Exchange& e = begun_.emplace_back(Exchange{counts_, places_, {}, {}, MPI_REQUEST_NULL});
    for (std::size_t r = 0; r < sizes.size(); ++r) {
      e.received.push_back(mine);
      e.received_at.push_back(count_of(r * static_cast<std::size_t>(mine)));
    }
    check(MPI_Ialltoallv(from, e.counts.data(), e.places.data(), MPI_BYTE, to, e.received.data(),
                         e.received_at.data(), MPI_BYTE, all_, &e.request));
    return static_cast<int>(begun_.size()) - 1;
  }

  void finish(int begun) override {
    wait(begun_[static_cast<std::size_t>(begun)].request);
    if (std::ranges::all_of(begun_,
                            [](const Exchange& e) { return e.request == MPI_REQUEST_NULL; }))
      begun_.clear();
  }

  void broadcast(void* data, std::size_t bytes) override {
    MPI_Request request;
    check(MPI_Ibcast(data, count_of(bytes), MPI_BYTE, 0, all_, &request));
    wait(request);
  }

  void end(const std::string& error) override {
    if (!all_are_here(error.empty() ? patience_ : kLastWords))
      end_all(error.empty() ? "the other processes did not come to their end" : error);
    if (error.empty()) return;
    note("twinage: {}\n", error);
    set_silent(true);
    all_are_here(kLastWords);
  }

 private:
  void place(std::span<const std::size_t> bytes) {
    counts_.clear();
    places_.clear();
    std::size_t before = 0;
    for (const std::size_t count : bytes) {
      counts_.push_back(count_of(count));
      places_.push_back(count_of(before));
      before += count;
    }
  }

  bool all_are_here(double seconds) {
    MPI_Request request;
    return MPI_Ibarrier(last_, &request) == MPI_SUCCESS && done_within(request, seconds);
  }

  void check(int result) {
    if (result == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = {};
    int length = 0;
    MPI_Error_string(result, text, &length);
    fail("[ranks] process {} of {} has lost the others: {}", rank_, size_, text);
  }

  // It looks again and again: a step has hundreds of exchanges, most over in microseconds. On a
  // processor of its own it keeps that meanwhile (offered, any idle program would take it for
  // milliseconds); another rank may need it to get here, and is let.
  bool done_within(MPI_Request& request, double seconds) {
    const auto start = Clock::now();
    for (long looks = 1;; ++looks) {
      int done = 0;
      check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
      if (done != 0) return true;
      if (crowded_) ::sched_yield();
      if (looks > 20'000) ::usleep(200);
      if (looks % 128 == 0 && seconds_since(start) > seconds) return false;
    }
  }

  void wait(MPI_Request& request) {
    if (done_within(request, patience_)) return;
    end_all(
        fmt::format("[ranks] process {} of {} has waited {} seconds for the others: one of them "
                    "hangs, or its machine is gone; continue with --resume",
                    rank_, size_, patience_));
  }

  [[noreturn]] void end_all(const std::string& why) {
    set_silent(false);
    note("twinage: {}{}\n", why,
         rank_ == 0 ? "" : fmt::format(" (process {} of {})", rank_, size_));
    MPI_Abort(MPI_COMM_WORLD, 1);
    std::_Exit(1);
  }

  MPI_Comm all_, last_;
  int rank_ = 0, size_ = 1, rank_on_machine_ = 0;
  double patience_ = kPatience;
  bool crowded_ = false;
  std::vector<int> counts_, places_;  // of the call that is made
  // MPI reads the numbers until the exchange is over: a deque's stay where they are.
  struct Exchange {
    std::vector<int> counts, places, received, received_at;
    MPI_Request request;
  };
  std::deque<Exchange> begun_;
};

// Processes of one machine that may use the same processors take parts of them. False: too few for
// each to have one.
bool divide_processors(LaunchedRanks& ranks) {
  struct Place {
    char machine[256];
    std::uint64_t processors;
  };
  std::vector<Place> places(static_cast<std::size_t>(ranks.size()));
  Place& mine = places[static_cast<std::size_t>(ranks.rank())];
  ::gethostname(mine.machine, sizeof mine.machine - 1);
  mine.processors = processors_hash();
  ranks.gather(places.data(), std::vector<std::size_t>(places.size(), sizeof(Place)));
  int part = 0, parts = 0;
  for (std::size_t r = 0; r < places.size(); ++r) {
    const bool shared = std::string_view(places[r].machine) == mine.machine &&
                        places[r].processors == mine.processors;
    if (shared && static_cast<int>(r) < ranks.rank()) ++part;
    parts += shared ? 1 : 0;
  }
  return take_part_of_processors(part, parts);
}

#endif

}  // namespace

std::unique_ptr<LaunchedRanks> launched_ranks() {
  const Launcher* launcher = launcher_of_several();
  if (launcher == nullptr) return nullptr;
#if TWINAGE_MPI
  auto ranks = std::make_unique<MpiRanks>();
  if (ranks->size() == 1)
    fail_of_all(
        *launcher,
        fmt::format("[ranks] {} has started {} processes that do not know of each other: it "
                    "is not that of the MPI library of this build (with srun: --mpi=pmix "
                    "or --mpi=pmi2)",
                    launcher->name, number_in(launcher->size)));
  set_silent(ranks->rank() > 0);
  ranks->set_crowded(!divide_processors(*ranks));
  return ranks;
#else
  fail_of_all(*launcher,
              fmt::format("[ranks] {} has started {} processes, and this build trains with one: "
                          "install Open MPI (libopenmpi-dev) and build again",
                          launcher->name, number_in(launcher->size)));
#endif
}

}  // namespace twinage
