// Files that are either the old version or the new one, never half of each.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace twinage {

// A file that takes the place of `path` when commit() is reached, and until then is written under
// another name beside it (PATH.tmp and the process id). Every member throws Error, naming the path
// and the system's reason, such as no space left; the old file is then as it was and no temporary
// one stays behind.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // To the disk: the file, its new name, and the folder that names it. Only if the last of these
  // fails is the new file in place although Error is thrown.
  void commit();

 private:
  [[noreturn]] void give_up(const char* what) const;

  std::filesystem::path path_, temporary_;
  int fd_ = -1;
  bool committed_ = false;
};

// A whole file by AtomicFile.
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::span<const std::byte>> parts);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// Throws Error unless a file of so many bytes can be written to `path`: said before hours of work,
// not after them. Writes and removes a temporary file; `path` itself stays as it is.
void require_writable(const std::filesystem::path& path, std::uint64_t bytes = 0);

// Removes the temporary files that killed processes left of these files. Only while no other
// process writes them.
void remove_temporary_files(const std::filesystem::path& folder,
                            std::span<const std::filesystem::path> files);

// A file could not be read for a reason that is not its own: the disk or the network failed, too
// many files are open. Read again later, it may be as good as ever.
struct ReadFailed : Error {
  using Error::Error;
};

// The whole file; throws Error when it cannot be read or has more than max_bytes, ReadFailed as
// above.
std::string read_text_file(const std::filesystem::path& path,
                           std::size_t max_bytes = std::size_t{64} << 20);
std::vector<std::byte> read_binary_file(const std::filesystem::path& path, std::size_t max_bytes);

// The same of large files, without a copy and in huge pages: a program that reads one picture
// spends most of its time on being given memory, page by page. (It is read and not mapped: that a
// file becomes shorter meanwhile, or its disk fails, is an error in words.)
class FileContent {
 public:
  FileContent(const std::filesystem::path& path, std::size_t max_bytes);

  std::span<const std::byte> bytes() const { return {content_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte[], Free> content_;
  std::size_t size_ = 0;
};

// Only its first bytes, at most so many; "" when it cannot be read.
std::string beginning_of(const std::filesystem::path& path, std::size_t bytes);

}  // namespace twinage
