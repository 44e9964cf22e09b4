// Loaded into the program by LD_PRELOAD: lets its n-th call of one kind fail.
//
//   FAULT_CALL    open, write, read, fsync, rename, close, mkdir, truncate, unlink, lock or
//   allocate FAULT_NTH     which of them, counted from 1 FAULT_ERROR   ENOSPC, EIO, EINTR, EMFILE,
//   EACCES, ENOLCK, EOPNOTSUPP; short: half of the bytes
//                 are written or read; kill: SIGKILL, in the middle of a write, before any other
//                 call
//   FAULT_BELOW   only calls on files below this folder are counted
//   FAULT_EVERY   the calls n + this, n + 2 this, ... fail, too
//   FAULT_STACKS  to the log goes, for every allocation in main(), a number that tells from which
//                 chain of callers it came
//   FAULT_LOG     a file to which every counted call (allocations apart) is appended, the one that
//                 failed ("FAILED ..."), and how many there were ("COUNT ...") when the program
//                 ends
//
// Counted is what the program and libstdc++ call: not what the C library calls itself (printing to
// stderr). Nothing is flushed to the disk, which is slow and makes no difference to who reads the
// files later on: fsync is counted, and fails when asked to.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// What the C library calls its own allocation functions.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

enum Call {
  kOpen,
  kWrite,
  kRead,
  kFsync,
  kRename,
  kClose,
  kMkdir,
  kTruncate,
  kReserve,
  kUnlink,
  kLock,
  kAllocate,
  kCalls
};
constexpr const char* kNames[kCalls] = {"open",    "write",  "read",  "fsync",
                                        "rename",  "close",  "mkdir", "truncate",
                                        "reserve", "unlink", "lock",  "allocate"};

struct NamedError {
  const char* name;
  int value;
};
constexpr NamedError kErrors[] = {
    {"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EINTR", EINTR},   {"EMFILE", EMFILE},
    {"EACCES", EACCES}, {"ENOLCK", ENOLCK}, {"ENOMEM", ENOMEM}, {"EOPNOTSUPP", EOPNOTSUPP}};

enum class Fate { go_on, fail, half, kill };

struct Plan {
  bool read = false;
  int call = -1;
  long nth = 0;
  Fate fate = Fate::fail;
  int error = ENOMEM;
  long every = 0;
  bool stacks = false;
  const char* below = nullptr;
  const char* log = nullptr;
};

Plan g_plan;
std::atomic<long> g_count[kCalls];
std::atomic<bool> g_in_main = false;
long g_before_main = 0;
int (*g_main)(int, char**, char**) = nullptr;

// The first allocations come before any constructor of this library has run.
const Plan& plan() {
  if (g_plan.read || environ == nullptr) return g_plan;
  g_plan.read = true;
  g_plan.below = std::getenv("FAULT_BELOW");
  g_plan.log = std::getenv("FAULT_LOG");
  if (const char* every = std::getenv("FAULT_EVERY")) g_plan.every = std::atol(every);
  g_plan.stacks = std::getenv("FAULT_STACKS") != nullptr;
  const char* call = std::getenv("FAULT_CALL");
  const char* nth = std::getenv("FAULT_NTH");
  const char* error = std::getenv("FAULT_ERROR");
  if (call == nullptr || nth == nullptr || error == nullptr) return g_plan;
  for (int c = 0; c < kCalls; ++c)
    if (std::strcmp(call, kNames[c]) == 0) g_plan.call = c;
  g_plan.nth = std::atol(nth);
  if (std::strcmp(error, "short") == 0) g_plan.fate = Fate::half;
  if (std::strcmp(error, "kill") == 0) g_plan.fate = Fate::kill;
  for (const NamedError& e : kErrors)
    if (std::strcmp(error, e.name) == 0) g_plan.error = e.value;
  return g_plan;
}

// By system calls alone, so that nothing of it is counted.
void log_line(const char* text, int length) {
  if (g_plan.log == nullptr || length <= 0) return;
  const long fd = syscall(SYS_openat, AT_FDCWD, g_plan.log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0) return;
  syscall(SYS_write, fd, text, static_cast<std::size_t>(length));
  syscall(SYS_close, fd);
}

void log_call(const char* mark, Call call, long number, const char* path) {
  const int before = errno;
  char line[4300];
  log_line(line, std::snprintf(line, sizeof line, "%s%s %ld %s\n", mark, kNames[call], number,
                               path == nullptr ? (g_in_main ? "in main" : "before main") : path));
  errno = before;
}

bool is_below(const char* path) {
  const char* below = plan().below;
  return below == nullptr || std::strncmp(path, below, std::strlen(below)) == 0;
}

// What is to become of this call on `path` (null: of an allocation).
Fate fate_of(Call call, const char* path) {
  if (path != nullptr && !is_below(path)) return Fate::go_on;
  const long number = ++g_count[call];
  const Plan& p = plan();
  const bool again = p.every > 0 && p.nth > 0 && number > p.nth && (number - p.nth) % p.every == 0;
  const bool hit = call == p.call && (number == p.nth || again);
  if (path != nullptr && !hit) log_call("", call, number, path);
  if (!hit) return Fate::go_on;
  if (number == p.nth) log_call("FAILED ", call, number, path);
  errno = p.error;
  return p.fate;
}

void kill_this_process() {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

// True when the call is to return -1, with errno as asked for.
bool fails(Call call, const char* path) {
  const Fate fate = fate_of(call, path);
  if (fate == Fate::kill) kill_this_process();
  return fate == Fate::fail;
}

class PathOf {  // an open file's
 public:
  explicit PathOf(int fd) {
    const int before = errno;
    char link[64];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long length =
        syscall(SYS_readlinkat, AT_FDCWD, link, path_, sizeof path_ - 1);  // no end of its own
    path_[length > 0 ? length : 0] = '\0';
    errno = before;
  }
  operator const char*() const { return path_; }

 private:
  char path_[4096];
};

int run_main(int argc, char** argv, char** environment) {
  g_before_main = g_count[kAllocate];
  g_in_main = true;
  return g_main(argc, argv, environment);
}

[[gnu::destructor]] void log_counts() {
  char line[64];
  for (int c = 0; c < kCalls; ++c)
    log_line(line,
             std::snprintf(line, sizeof line, "COUNT %s %ld\n", kNames[c], g_count[c].load()));
  log_line(line, std::snprintf(line, sizeof line, "COUNT before_main %ld\n", g_before_main));
}

void log_stack() {
  constexpr int kFrames = 10;
  void* frames[kFrames];
  const int count = backtrace(frames, kFrames);
  std::size_t hash = 0;
  for (int i = 0; i < count; ++i)
    hash = (hash ^ reinterpret_cast<std::size_t>(frames[i])) * 0x100000001B3;
  char line[64];
  log_line(line,
           std::snprintf(line, sizeof line, "STACK %ld %zx\n", g_count[kAllocate].load(), hash));
}

bool no_memory() {
  // Looking at the stack allocates, too.
  [[gnu::tls_model("initial-exec")]] static thread_local bool looking = false;
  if (looking) return false;
  const bool failed = fails(kAllocate, nullptr);
  if (g_plan.stacks && g_in_main) {
    looking = true;
    log_stack();
    looking = false;
  }
  return failed;
}

ssize_t write_bytes(int fd, const void* bytes, std::size_t count) {
  const Fate fate = fate_of(kWrite, PathOf(fd));
  if (fate == Fate::fail) return -1;
  const bool half = fate != Fate::go_on && count > 1;
  const ssize_t written = syscall(SYS_write, fd, bytes, half ? count / 2 : count);
  if (fate == Fate::kill) kill_this_process();
  return written;
}

int open_file(int folder, const char* path, int flags, mode_t mode) {
  if (fails(kOpen, path)) return -1;
  return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
}

mode_t mode_of(int flags, va_list rest) {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? static_cast<mode_t>(va_arg(rest, int)) : 0;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

#define OPEN_WITH_MODE(folder)              \
  va_list rest;                             \
  va_start(rest, flags);                    \
  const mode_t mode = mode_of(flags, rest); \
  va_end(rest);                             \
  return open_file(folder, path, flags, mode)

extern "C" {

int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(),
                      void (*fini)(), void (*loader_fini)(), void* stack_end) {
  g_main = main;
  return next<decltype(&__libc_start_main)>("__libc_start_main")(run_main, argc, argv, init, fini,
                                                                 loader_fini, stack_end);
}

int open(const char* path, int flags, ...) {
  OPEN_WITH_MODE(AT_FDCWD);
}
int open64(const char* path, int flags, ...) {
  OPEN_WITH_MODE(AT_FDCWD);
}
int openat(int folder, const char* path, int flags, ...) {
  OPEN_WITH_MODE(folder);
}
int openat64(int folder, const char* path, int flags, ...) {
  OPEN_WITH_MODE(folder);
}
int creat(const char* path, mode_t mode) {
  return open_file(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
FILE* fopen(const char* path, const char* mode) {
  return fails(kOpen, path) ? nullptr : next<decltype(&fopen)>("fopen")(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  return fails(kOpen, path) ? nullptr : next<decltype(&fopen)>("fopen64")(path, mode);
}
DIR* opendir(const char* path) {
  return fails(kOpen, path) ? nullptr : next<decltype(&opendir)>("opendir")(path);
}

ssize_t write(int fd, const void* bytes, std::size_t count) {
  return write_bytes(fd, bytes, count);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  const Fate fate = fate_of(kWrite, PathOf(fd));
  if (fate == Fate::fail) return -1;
  // Half: the first part alone, and only half of it.
  const ssize_t written = fate == Fate::go_on
                              ? syscall(SYS_writev, fd, parts, count)
                              : syscall(SYS_write, fd, parts->iov_base, (parts->iov_len + 1) / 2);
  if (fate == Fate::kill) kill_this_process();
  return written;
}
ssize_t pwrite(int fd, const void* bytes, std::size_t count, off_t offset) {
  const Fate fate = fate_of(kWrite, PathOf(fd));
  if (fate == Fate::fail) return -1;
  const bool half = fate != Fate::go_on && count > 1;
  const ssize_t written = syscall(SYS_pwrite64, fd, bytes, half ? count / 2 : count, offset);
  if (fate == Fate::kill) kill_this_process();
  return written;
}
ssize_t read(int fd, void* bytes, std::size_t count) {
  const Fate fate = fate_of(kRead, PathOf(fd));
  if (fate == Fate::kill) kill_this_process();
  if (fate == Fate::fail) return -1;
  return syscall(SYS_read, fd, bytes, fate == Fate::half && count > 1 ? count / 2 : count);
}

int fsync(int fd) {
  return fails(kFsync, PathOf(fd)) ? -1 : 0;
}
int fdatasync(int fd) {
  return fails(kFsync, PathOf(fd)) ? -1 : 0;
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  char both[4200];
  std::snprintf(both, sizeof both, "%.2048s -> %.2048s", from, to);
  if (fails(kRename, both)) return -1;
  return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, 0));
}
int rename(const char* from, const char* to) noexcept {
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int close(int fd) {
  const Fate fate = fate_of(kClose, PathOf(fd));
  if (fate == Fate::kill) kill_this_process();
  const int error = errno;
  const int closed = static_cast<int>(syscall(SYS_close, fd));  // Linux closes in any case
  if (fate != Fate::fail) return closed;
  errno = error;
  return -1;
}
int mkdir(const char* path, mode_t mode) noexcept {
  return fails(kMkdir, path) ? -1 : static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}
int ftruncate(int fd, off_t length) noexcept {
  return fails(kTruncate, PathOf(fd)) ? -1 : static_cast<int>(syscall(SYS_ftruncate, fd, length));
}
int fallocate(int fd, int mode, off_t offset, off_t length) {
  if (fails(kReserve, PathOf(fd))) return -1;
  return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, length));
}
int rmdir(const char* path) noexcept {
  if (fails(kUnlink, path)) return -1;
  return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR));
}
int unlink(const char* path) noexcept {
  return fails(kUnlink, path) ? -1 : static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}
int remove(const char* path) noexcept {
  return fails(kUnlink, path) ? -1 : next<decltype(&remove)>("remove")(path);
}
int flock(int fd, int operation) noexcept {
  return fails(kLock, PathOf(fd)) ? -1 : static_cast<int>(syscall(SYS_flock, fd, operation));
}

void* malloc(std::size_t bytes) noexcept {
  return no_memory() ? nullptr : __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return no_memory() ? nullptr : __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) noexcept {
  return no_memory() ? nullptr : __libc_realloc(block, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return no_memory() ? nullptr : __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return no_memory() ? nullptr : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
  if (no_memory()) return ENOMEM;
  void* found = __libc_memalign(alignment, bytes);
  if (found == nullptr) return ENOMEM;
  *block = found;
  return 0;
}

}  // extern "C"
