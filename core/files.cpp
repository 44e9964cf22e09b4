#include "core/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr const char* kTemporary = ".tmp";  // between a file's name and the process id

// A system call that a signal interrupted is made again.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void require_folder_of(const fs::path& path) {
  const fs::path folder = folder_of(path);
  std::error_code status;
  require(fs::is_directory(folder, status), "[files] {} cannot be written: there is no folder {}",
          path.string(), folder.string());
}

// A rename is only safe from a power failure once the folder is on disk.
void flush_folder_of(const fs::path& path) {
  const fs::path folder = folder_of(path);
  const int fd =
      uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (fd < 0 && errno == EACCES) return;  // may be written to but not read
  require(fd >= 0, "[files] cannot open the folder {}: {}", folder.string(), std::strerror(errno));
  const bool flushed = uninterrupted([&] { return ::fsync(fd); }) == 0;
  const int reason = errno;
  ::close(fd);
  // Not every file system knows what it means.
  const bool unknown = reason == EINVAL || reason == ENOTSUP || reason == ENOSYS || reason == EROFS;
  require(flushed || unknown, "[files] {} is written, but its folder cannot be flushed: {}",
          path.string(), std::strerror(reason));
}

[[noreturn]] void fail_to_read(const fs::path& path) {
  constexpr int kOfTheFile[] = {ENOENT, ENOTDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG, ENXIO};
  const int reason = errno;
  const std::string text =
      fmt::format("[files] cannot read {}: {}", path.string(), std::strerror(reason));
  if (std::ranges::find(kOfTheFile, reason) != std::end(kOfTheFile)) throw Error(text);
  throw ReadFailed(text);
}

class OpenFile {
 public:
  explicit OpenFile(const fs::path& path) {
    // Not waiting: a pipe that nobody writes to is refused below instead.
    fd_ = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); });
    if (fd_ < 0) fail_to_read(path);
  }
  ~OpenFile() { ::close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// A file that is open, of a size that is allowed.
class SizedFile : public OpenFile {
 public:
  SizedFile(const fs::path& path, std::size_t max_bytes) : OpenFile(path), path_(path) {
    struct stat status {};
    require(::fstat(fd(), &status) == 0, "[files] cannot read {}: {}", path.string(),
            std::strerror(errno));
    require(S_ISREG(status.st_mode), "[files] {} is {}, expected a file", path.string(),
            S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe");
    size_ = static_cast<std::size_t>(status.st_size);
    require(size_ <= max_bytes, "[files] {} has {} bytes, more than the {} allowed", path.string(),
            size_, max_bytes);
  }
  std::size_t size() const { return size_; }

  // All of it, to where there is room for size() bytes.
  void read(void* to) const {
    for (std::size_t done = 0; done < size_;) {
      const ssize_t n =
          uninterrupted([&] { return ::read(fd(), static_cast<char*>(to) + done, size_ - done); });
      if (n < 0) fail_to_read(path_);
      require(n > 0, "[files] {} ends after {} of {} bytes", path_.string(), done, size_);
      done += static_cast<std::size_t>(n);
    }
  }

 private:
  const fs::path& path_;
  std::size_t size_ = 0;
};

template <class Container>
Container read_file(const fs::path& path, std::size_t max_bytes) {
  const SizedFile file(path, max_bytes);
  Container content(file.size(), typename Container::value_type{});
  file.read(content.data());
  return content;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += fmt::format("{}{}", kTemporary, ::getpid());
  fd_ = uninterrupted(
      [&] { return ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644); });
  if (fd_ < 0) give_up("create");
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::write(fd_, bytes.data(), bytes.size()); });
    if (n == 0) errno = ENOSPC;  // no reason is given: it would be so for ever
    if (n <= 0) give_up("write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void AtomicFile::commit() {
  if (uninterrupted([&] { return ::fsync(fd_); }) != 0) give_up("flush");
  const int fd = fd_;
  fd_ = -1;
  // Interrupted, it has been closed all the same; and what it holds is on disk.
  if (::close(fd) != 0 && errno != EINTR) give_up("close");
  if (uninterrupted([&] { return ::rename(temporary_.c_str(), path_.c_str()); }) != 0)
    give_up("rename");
  committed_ = true;
  flush_folder_of(path_);
}

void AtomicFile::give_up(const char* what) const {
  const std::string reason = std::strerror(errno);
  fail("[files] cannot {} {}: {}", what, temporary_.string(), reason);
}

void write_file_atomically(const fs::path& path,
                           std::span<const std::span<const std::byte>> parts) {
  AtomicFile file(path);
  for (auto part : parts) file.write(part);
  file.commit();
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void require_writable(const fs::path& path, std::uint64_t bytes) {
  require_folder_of(path);
  std::error_code status;
  require(!fs::is_directory(path, status), "[files] {} cannot be written: it is a folder",
          path.string());
  fs::path trial = path;
  trial += fmt::format("{}{}", kTemporary, ::getpid());
  const auto refuse = [&](int reason) {
    fail("[files] {} cannot be written: {}", path.string(), std::strerror(reason));
  };
  const int fd = uninterrupted(
      [&] { return ::open(trial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644); });
  if (fd < 0) refuse(errno);
  // Some file systems cannot reserve space; there a lack of it shows when the file is written.
  int reason = 0;
  const auto size = static_cast<off_t>(std::max<std::uint64_t>(bytes, 1));
  if (uninterrupted([&] { return ::fallocate(fd, 0, 0, size); }) != 0) reason = errno;
  ::close(fd);
  ::unlink(trial.c_str());
  if (reason != 0 && reason != EOPNOTSUPP && reason != ENOSYS && reason != EINVAL) refuse(reason);
}

void remove_temporary_files(const fs::path& folder, std::span<const fs::path> files) {
  std::error_code status;
  std::vector<fs::path> old;
  for (fs::directory_iterator entry(folder, status), end; !status && entry != end;
       entry.increment(status)) {
    const std::string name = entry->path().filename().string();
    for (const fs::path& file : files) {
      const std::string start = file.filename().string() + kTemporary;
      if (name.size() > start.size() && name.starts_with(start) &&
          std::all_of(name.begin() + static_cast<std::ptrdiff_t>(start.size()), name.end(),
                      [](char c) { return c >= '0' && c <= '9'; }))
        old.push_back(entry->path());
    }
  }
  for (const fs::path& path : old) fs::remove(path, status);
}

std::string read_text_file(const fs::path& path, std::size_t max_bytes) {
  return read_file<std::string>(path, max_bytes);
}

std::vector<std::byte> read_binary_file(const fs::path& path, std::size_t max_bytes) {
  return read_file<std::vector<std::byte>>(path, max_bytes);
}

FileContent::FileContent(const fs::path& path, std::size_t max_bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const SizedFile file(path, max_bytes);
  const std::size_t alignment = file.size() >= kHugePage ? kHugePage : alignof(std::max_align_t);
  const std::size_t room = (file.size() / alignment + 1) * alignment;  // never empty
  content_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, room)));
  if (content_ == nullptr) throw std::bad_alloc();
  if (alignment == kHugePage) ::madvise(content_.get(), room, MADV_HUGEPAGE);
  file.read(content_.get());
  size_ = file.size();
}

std::string beginning_of(const fs::path& path, std::size_t bytes) {
  std::ifstream in(path, std::ios::binary);
  std::string text(bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(bytes));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace twinage
