#include "tools/experiments/child_processes.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

namespace twinage {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr int kBySignal = 128;

// What a new process is told of files and signals; freed with it.
class SpawnSetup {
 public:
  explicit SpawnSetup(const std::filesystem::path& log) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&attributes_);
    // A group of its own: the terminal's Ctrl-C does not reach it.
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, log.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::posix_spawn_file_actions_adddup2(&files_, STDOUT_FILENO, STDERR_FILENO);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

struct Child {
  std::size_t job;
  pid_t process;
  Clock::time_point start;
};

Child start(const std::string& program, std::size_t index, const Job& job) {
  const SpawnSetup setup(job.log);
  std::string name = "twinage";
  std::vector<std::string> arguments = job.arguments;
  std::vector<char*> argv{name.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  Child child{index, 0, Clock::now()};
  const int problem = ::posix_spawn(&child.process, program.c_str(), &setup.files_,
                                    &setup.attributes_, argv.data(), environ);
  require(problem == 0, "[experiment] cannot start {} with its log in {}: {}", program,
          job.log.string(), std::strerror(problem));
  return child;
}

// Whether it has ended, and how.
bool has_ended(const Child& child, JobEnd& end) {
  int status = 0;
  const pid_t ended = ::waitpid(child.process, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
  end.seconds = std::chrono::duration<double>(Clock::now() - child.start).count();
  end.code = ended < 0           ? kBySignal
             : WIFEXITED(status) ? WEXITSTATUS(status)
                                 : kBySignal + WTERMSIG(status);
  return true;
}

// The children of this call; none is left behind, however that ends.
class Children {
 public:
  ~Children() {
    ask_to_stop();
    for (const Child& child : running_)
      while (::waitpid(child.process, nullptr, 0) < 0 && errno == EINTR) {
      }
  }
  std::size_t count() const { return running_.size(); }
  void add(Child child) { running_.push_back(child); }
  // Once: a second one would end them unsaved.
  void ask_to_stop() {
    if (asked_) return;
    asked_ = true;
    for (const Child& child : running_) ::kill(child.process, SIGINT);
  }
  // Takes out one that has ended.
  bool take_ended(std::size_t& job, JobEnd& end) {
    for (auto child = running_.begin(); child != running_.end(); ++child) {
      if (!has_ended(*child, end)) continue;
      job = child->job;
      running_.erase(child);
      return true;
    }
    return false;
  }

 private:
  std::vector<Child> running_;
  bool asked_ = false;
};

}  // namespace

bool run_jobs(const std::string& program, std::span<const Job> jobs, std::size_t at_a_time,
              const std::atomic<bool>& stop, const JobHooks& hooks) {
  require(at_a_time > 0, "[experiment] expected at least one job at a time");
  Children children;
  std::size_t next = 0;
  while (next < jobs.size() || children.count() > 0) {
    if (stop) {
      children.ask_to_stop();
      if (children.count() == 0) break;
    } else if (next < jobs.size() && children.count() < at_a_time) {
      children.add(start(program, next, jobs[next]));
      if (hooks.begun) hooks.begun(next);
      ++next;
      continue;
    }
    std::size_t job = 0;
    JobEnd end;
    if (children.take_ended(job, end)) {
      if (hooks.ended) hooks.ended(job, end);
      continue;
    }
    if (hooks.waiting) hooks.waiting();
    std::this_thread::sleep_for(kPoll);
  }
  return next == jobs.size();
}

}  // namespace twinage
