// Jobs that are processes of their own, several at a time: the trainings of an experiment.
#pragma once
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace twinage {

struct Job {
  std::vector<std::string> arguments;  // without the program's name
  std::filesystem::path log;           // stdout and stderr are appended to it; stdin is empty
};

struct JobEnd {
  int code = 0;  // exit code, or 128 + the signal that ended it
  double seconds = 0;
};

// Called in this process, one at a time. A job's place is free for the next one when ended() has
// returned: what it does there has the job's processors.
struct JobHooks {
  std::function<void(std::size_t job)> begun;
  std::function<void(std::size_t job, const JobEnd& end)> ended;
  std::function<void()> waiting;  // a few times a second
};

// The program that this process is, also after its file was replaced by another build.
inline constexpr const char* kThisProgram = "/proc/self/exe";

// Runs `program` for each job, in order, `at_a_time` of them. They do not hear of the terminal's
// Ctrl-C: when `stop` is set, they are sent SIGINT, none is started any more, and all that run are
// waited for. So are they when a hook throws, and the exception is passed on. True: all were run.
// Throws Error where no process can be started.
bool run_jobs(const std::string& program, std::span<const Job> jobs, std::size_t at_a_time,
              const std::atomic<bool>& stop, const JobHooks& hooks);

}  // namespace twinage
