#include "core/safetensors.h"

#include <filesystem>
#include <fstream>
#include <numeric>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
using twinage::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

SafetensorsWriter example() {
  SafetensorsWriter writer;
  std::vector<float> f(6);
  std::iota(f.begin(), f.end(), 0.5F);
  const std::vector<std::int64_t> i{-7, 1LL << 40};
  const std::vector<std::uint8_t> u{1, 2, 255};
  writer.add("f", f, {2, 3});
  writer.add("i", i, {2});
  writer.add("u", u, {3, 1});
  writer.add("empty", std::span<const float>(), {0, 4});
  writer.set_metadata("format", "test");
  return writer;
}

}  // namespace

TEST_CASE("safetensors: what was written is read back") {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.safetensors";
  example().write(path);
  const auto file = SafetensorsFile::open(path);
  CHECK(file.entries().size() == 4);
  CHECK(file.metadata().at("format") == "test");
  CHECK(file.floats("f") == std::vector<float>{0.5F, 1.5F, 2.5F, 3.5F, 4.5F, 5.5F});
  CHECK(file.entry("f").shape == std::vector<Index>{2, 3});
  CHECK(file.integers("i") == std::vector<std::int64_t>{-7, 1LL << 40});
  CHECK(file.bytes("u").size() == 3);
  CHECK(file.floats("empty").empty());
  CHECK_THROWS_AS((void)file.floats("i"), Error);
  CHECK_THROWS_AS((void)file.floats("missing"), Error);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);  // no temporary file left
}

TEST_CASE("safetensors: every truncation is an error, never a crash") {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.safetensors", cut = folder / "cut.safetensors";
  example().write(path);
  const auto bytes = read_binary_file(path, 1 << 20);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::span<const std::byte> part(bytes.data(), length);
    write_file_atomically(cut, std::span(&part, 1));
    CHECK_THROWS_AS((void)SafetensorsFile::open(cut), Error);
  }
}

TEST_CASE("safetensors: hostile headers are errors") {
  const TemporaryFolder folder;
  const fs::path path = folder / "bad.safetensors";
  const char* headers[] = {
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
      R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
      R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"F32","shape":[2]}})",
      R"({"a":7})",
      R"([1,2])",
      R"({"a":)",
      "",
  };
  for (const std::string header : headers) {
    CAPTURE(header);
    const std::uint64_t length = header.size();
    std::string file(reinterpret_cast<const char*>(&length), 8);
    file += header + "12345678";
    write_file_atomically(path, file);
    CHECK_THROWS_AS((void)SafetensorsFile::open(path), Error);
  }
}

TEST_CASE("files: an atomic write that fails leaves the old file") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "old");
  CHECK_THROWS_AS(write_file_atomically(folder / "missing" / "a", "new"), Error);
  CHECK_THROWS_AS((void)read_text_file(folder / "b"), Error);
  CHECK_THROWS_AS((void)read_text_file(folder.path()), Error);
  CHECK(read_text_file(folder / "a") == "old");
}
