#include "train/run_directory.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "train/session_log.h"
#include "train/settings/config.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kLockText = "twinage: process ";
constexpr int kAttempts = 100;

bool is_there(const fs::path& path) {
  std::error_code status;  // a link that leads nowhere is in the way as well
  return fs::symlink_status(path, status).type() != fs::file_type::not_found;
}

// Empty, or what a run that ended before its first state wrote.
bool is_metrics_of_a_run(const fs::path& path) {
  constexpr std::size_t kRecord = 1 << 16;
  const std::string start = beginning_of(path, kRecord);
  if (start.empty()) return fs::is_regular_file(path) && fs::file_size(path) == 0;
  // A killed run may have written a part of its first record.
  constexpr std::string_view kBeginning = "{\"event\":";
  if (start.find('\n') == std::string::npos)
    return start.starts_with(kBeginning) || kBeginning.starts_with(start);
  const auto record = nlohmann::json::parse(start.substr(0, start.find('\n')), nullptr, false);
  return record.is_object() && record.contains("event") && record.contains("step");
}

}  // namespace

// What a run leaves that ended before its first state may be overwritten: it may start again. A run
// writes its configuration after its metrics, so a configuration alone is somebody else's.
void RunDirectory::require_new() const {
  for (const fs::path& path : {state(), model(), gallery()})
    require(!is_there(path),
            "[train] {} already holds a run ({}): continue it with --resume, or choose another "
            "--out",
            folder_.string(), path.filename().string());
  const auto refuse_foreign = [](const fs::path& path, bool ours) {
    require(ours, "[train] {} would be overwritten, and no run wrote it: choose another --out",
            path.string());
  };
  if (is_there(metrics())) refuse_foreign(metrics(), is_metrics_of_a_run(metrics()));
  if (is_there(sessions()))
    refuse_foreign(sessions(), beginning_of(sessions(), kSessionStart.size()) == kSessionStart);
  if (is_there(config()))
    refuse_foreign(config(), is_there(metrics()) &&
                                 beginning_of(config(), kConfigTitle.size()) == kConfigTitle);
}

std::optional<int> RunDirectory::writer() const {
  const std::string text = beginning_of(lock(), 64);
  if (!text.starts_with(kLockText)) return std::nullopt;
  const int process = std::atoi(text.c_str() + kLockText.size());
  const bool lives = process > 0 && (::kill(process, 0) == 0 || errno == EPERM);
  return lives ? std::optional(process) : std::nullopt;
}

void RunDirectory::require_state() const {
  require(fs::exists(state()), "[train] {} holds no state to resume: start without --resume",
          folder_.string());
}

RunLock::RunLock(const RunDirectory& directory, std::uint64_t bytes) : directory_(directory) {
  try {
    create_folder();
    take();
    const fs::path files[] = {directory_.config(), directory_.metrics(), directory_.model(),
                              directory_.state(), directory_.gallery()};
    remove_temporary_files(directory_.folder(), files);
    require_writable(directory_.state(), bytes);
  } catch (...) {
    release();
    throw;
  }
}

RunLock::~RunLock() {
  release();
}

void RunLock::create_folder() {
  std::error_code status;
  fs::path missing = fs::absolute(directory_.folder(), status).lexically_normal();
  if (!missing.has_filename()) missing = missing.parent_path();  // "run/"
  for (; !missing.empty() && !fs::exists(missing, status); missing = missing.parent_path())
    created_.insert(created_.begin(), missing);
  fs::create_directories(directory_.folder(), status);
  require(!status && fs::is_directory(directory_.folder(), status), "[train] cannot create {}: {}",
          directory_.folder().string(),
          status ? status.message() : "a file of that name is in the way");
}

void RunLock::take() {
  for (int i = 0; i < kAttempts; ++i)
    if (try_to_take()) return;
  fail("[train] {} is being opened by others all the time", directory_.folder().string());
}

bool RunLock::try_to_take() {
  const fs::path path = directory_.lock();
  const std::string text = beginning_of(path, 64);
  // A killed process may have written a part of the text.
  require(text.starts_with(kLockText) || kLockText.starts_with(text),
          "[train] {} would be overwritten, and no run wrote it: choose another --out",
          path.string());
  do {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  } while (fd_ < 0 && errno == EINTR);
  require(fd_ >= 0, "[train] {} cannot be written to: {}", directory_.folder().string(),
          std::strerror(errno));
  int result = 0;
  do {
    result = ::flock(fd_, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EWOULDBLOCK) {
    ::close(fd_);
    fd_ = -1;
    std::string owner = beginning_of(path, 64);
    owner = owner.starts_with(kLockText) ? owner.substr(0, owner.find('\n')) : "another process";
    fail("[train] {} is being written to ({}): wait until it has ended, or choose another --out",
         directory_.folder().string(), owner);
  }
  if (result != 0)
    note("note: no lock on {} ({}): see to it that no other training writes to this folder\n",
         directory_.folder().string(), std::strerror(errno));
  // The last owner may have removed the name between open and lock.
  struct stat ours {
  }, named{};
  if (::fstat(fd_, &ours) != 0 || ::stat(path.c_str(), &named) != 0 ||
      ours.st_ino != named.st_ino) {
    ::close(fd_);
    fd_ = -1;
    return false;
  }
  // For people: who holds the lock. That it is held does not depend on the text.
  const std::string mine = fmt::format("{}{}\n", kLockText, ::getpid());
  if (::ftruncate(fd_, 0) == 0) (void)!::pwrite(fd_, mine.data(), mine.size(), 0);
  return true;
}

void RunLock::release() {
  if (fd_ >= 0) {
    ::unlink(directory_.lock().c_str());
    ::close(fd_);
    fd_ = -1;
  }
  for (auto folder = created_.rbegin(); folder != created_.rend(); ++folder)
    ::rmdir(folder->c_str());
}

}  // namespace twinage
