#include "core/output.h"

#include <atomic>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace twinage {
namespace {

std::atomic<bool> g_reader_has_gone{false}, g_silent{false};

}  // namespace

bool prepare_standard_streams() noexcept {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The other way round than it is used: results that nobody can receive are an error.
    const int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) != fd) return false;
  }
  return true;
}

void set_silent(bool silent) noexcept {
  g_silent = silent;
}

void write_text(std::FILE* stream, std::string_view text) noexcept {
  if (g_silent) return;
  // A failure stays in ferror(stream). Notes are written at once: stderr has no buffer.
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stream);
  if (written < text.size() && stream == stdout && errno == EPIPE) g_reader_has_gone = true;
}

bool results_written() noexcept {
  if (std::fflush(stdout) == 0) return std::ferror(stdout) == 0;
  if (errno == EPIPE) g_reader_has_gone = true;
  return false;
}

bool reader_has_gone() noexcept {
  return g_reader_has_gone;
}

}  // namespace twinage
