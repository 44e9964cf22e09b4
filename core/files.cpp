#include "core/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

// A file being written; removed again unless commit() was reached.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) give_up("create");
  }
  ~TemporaryFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!committed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) give_up("write");
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  void commit(const fs::path& target) {
    if (::fsync(fd_) != 0) give_up("flush");
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) give_up("close");
    if (::rename(path_.c_str(), target.c_str()) != 0) give_up("rename");
    committed_ = true;
  }

 private:
  [[noreturn]] void give_up(const char* what) {
    const std::string reason = std::strerror(errno);
    fail("[files] cannot {} {}: {}", what, path_.string(), reason);
  }

  fs::path path_;
  int fd_ = -1;
  bool committed_ = false;
};

template <class Container>
Container read_file(const fs::path& path, std::size_t max_bytes) {
  std::error_code status;
  require(!fs::is_directory(path, status), "[files] {} is a folder, expected a file",
          path.string());
  std::ifstream in(path, std::ios::binary);
  require(in.good(), "[files] cannot read {}: {}", path.string(), std::strerror(errno));
  const auto size = fs::file_size(path, status);
  require(!status, "[files] cannot read {}: {}", path.string(), status.message());
  require(size <= max_bytes, "[files] {} has {} bytes, more than the {} allowed", path.string(),
          size, max_bytes);
  Container content(size, typename Container::value_type{});
  in.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(size));
  require(in.gcount() == static_cast<std::streamsize>(size), "[files] {} ends after {} of {} bytes",
          path.string(), in.gcount(), size);
  return content;
}

}  // namespace

void write_file_atomically(const fs::path& path,
                           std::span<const std::span<const std::byte>> parts) {
  fs::path temporary = path;
  temporary += fmt::format(".tmp{}", ::getpid());
  TemporaryFile file(temporary);
  for (auto part : parts) file.write(part);
  file.commit(path);
  // The rename itself is only safe from a power failure once the folder is on disk.
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text.data(), text.size()));
  write_file_atomically(path, std::span(&bytes, 1));
}

void require_folder_of(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  require(fs::is_directory(folder), "[file] {} cannot be written: there is no folder {}",
          path.string(), folder.string());
}

std::string read_text_file(const fs::path& path, std::size_t max_bytes) {
  return read_file<std::string>(path, max_bytes);
}

std::vector<std::byte> read_binary_file(const fs::path& path, std::size_t max_bytes) {
  return read_file<std::vector<std::byte>>(path, max_bytes);
}

}  // namespace twinage
