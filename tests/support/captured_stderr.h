// While it lives, what this process writes to stderr goes into a file instead.
#pragma once
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"

namespace twinage::test {

class CapturedStderr {
 public:
  CapturedStderr() : before_(::dup(STDERR_FILENO)) {
    const int fd = ::open(path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    require(before_ >= 0 && fd >= 0 && ::dup2(fd, STDERR_FILENO) >= 0,
            "[test] stderr cannot be captured");
    ::close(fd);
  }
  ~CapturedStderr() {
    std::fflush(stderr);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::string text() const {
    std::fflush(stderr);
    return read_text_file(path());
  }

 private:
  std::filesystem::path path() const { return folder_ / "stderr"; }

  TemporaryFolder folder_;
  int before_;
};

}  // namespace twinage::test
