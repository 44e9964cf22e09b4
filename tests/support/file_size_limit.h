// While it lives, no file of this process can grow beyond so many bytes: a disk that is full there.
#pragma once
#include <csignal>

#include <sys/resource.h>

#include "core/error.h"

namespace twinage::test {

class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) {
    require(::getrlimit(RLIMIT_FSIZE, &before_) == 0, "[test] no limit on files to be read");
    signal_ = std::signal(SIGXFSZ, SIG_IGN);  // write() fails with EFBIG instead
    const rlimit limit{bytes, before_.rlim_max};
    require(::setrlimit(RLIMIT_FSIZE, &limit) == 0, "[test] no limit on files to be set");
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int) = nullptr;
};

}  // namespace twinage::test
