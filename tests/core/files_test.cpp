#include "core/files.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
using test::FileSizeLimit;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

Index files_in(const TemporaryFolder& folder) {
  return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
}

}  // namespace

TEST_CASE("a file is the old one until commit, and the new one from then on") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_file_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("ne");
    file.write("w");
    CHECK(read_text_file(path) == "old");
    file.commit();
    CHECK(read_text_file(path) == "new");
  }
  { AtomicFile(path).write("never committed"); }
  CHECK(read_text_file(path) == "new");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("a disk that is full leaves the old file and no temporary one, and is named") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_file_atomically(path, "old");
  const std::string large(5000, 'x');
  {
    const FileSizeLimit full(4096);  // a part of it is still written
    CHECK_THROWS_WITH_AS(write_file_atomically(path, large), doctest::Contains(path.c_str()),
                         Error);
    CHECK_THROWS_AS(require_writable(path, 5000), Error);
    CHECK_NOTHROW(require_writable(path, 4000));
  }
  CHECK(read_text_file(path) == "old");
  CHECK(files_in(folder) == 1);
  CHECK_NOTHROW(require_writable(path, 5000));
  CHECK_THROWS_WITH_AS(require_writable(folder / "none" / "file"),
                       doctest::Contains("there is no folder"), Error);
}

TEST_CASE("temporary files of killed processes are removed, and no others") {
  const TemporaryFolder folder;
  const fs::path files[] = {folder / "state"};
  for (const char* name : {"state", "state.tmp123", "state.tmp", "state.tmpx", "other.tmp123"})
    write_file_atomically(folder / name, "x");
  remove_temporary_files(folder.path(), files);
  CHECK(fs::exists(folder / "state"));
  CHECK_FALSE(fs::exists(folder / "state.tmp123"));
  CHECK(fs::exists(folder / "state.tmpx"));
  CHECK(fs::exists(folder / "other.tmp123"));
}

TEST_CASE("what is no file, or is too long, is not read") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "12345");
  CHECK(read_text_file(folder / "file", 5) == "12345");
  CHECK_THROWS_WITH_AS(read_text_file(folder / "file", 4), doctest::Contains("5 bytes"), Error);
  CHECK_THROWS_WITH_AS(read_text_file(folder.path()), doctest::Contains("a folder"), Error);
  CHECK_THROWS_AS(read_text_file(folder / "none"), Error);
  const auto text_of = [](const FileContent& file) {
    return std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  };
  CHECK(text_of(FileContent(folder / "file", 5)) == "12345");
  CHECK_THROWS_WITH_AS(FileContent(folder / "file", 4), doctest::Contains("5 bytes"), Error);
  CHECK_THROWS_WITH_AS(FileContent(folder.path(), 5), doctest::Contains("a folder"), Error);
  write_file_atomically(folder / "empty", "");
  CHECK(FileContent(folder / "empty", 5).bytes().empty());
  CHECK(beginning_of(folder / "file", 2) == "12");
  CHECK(beginning_of(folder / "none", 2).empty());
}
