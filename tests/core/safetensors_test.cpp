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
  std::vector<float> six(6), five(5);
  file.read("f", six);
  CHECK(six == file.floats("f"));
  CHECK_THROWS_WITH_AS(file.read("f", five), doctest::Contains("'f' to be 5 numbers"), Error);
  CHECK_THROWS_WITH_AS(file.read("i", five), doctest::Contains("F32"), Error);
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
      R"({"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"F32","shape":[2]}})",
      R"({"a":{"dtype":"F32","shape":[18446744073709551615,0],"data_offsets":[0,0]}})",
      R"({"a":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]}})",
      R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})",
      R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})",
      R"({"a":7})",
      R"([1,2])",
      R"({"__metadata__":7})",
      R"({"__metadata__":{"step":7}})",
      R"({"a":)",
      "",
  };
  for (const std::string header : headers) {
    CAPTURE(header);
    const std::uint64_t length = header.size();
    std::string file(reinterpret_cast<const char*>(&length), 8);
    file += header + "12345678";
    write_file_atomically(path, file);
    // In the program's own words, which name the file: never those of the JSON library.
    CHECK_THROWS_WITH_AS((void)SafetensorsFile::open(path), doctest::Contains("bad.safetensors"),
                         Error);
    try {
      (void)SafetensorsFile::open(path);
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find("json.exception") == std::string::npos);
    }
  }
}

TEST_CASE("safetensors: a byte of a tensor that has changed is noticed") {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.safetensors", changed = folder / "changed.safetensors";
  example().write(path);
  const auto bytes = read_binary_file(path, 1 << 20);
  const std::size_t data = 6 * 4 + 2 * 8 + 3;
  for (std::size_t i = bytes.size() - data; i < bytes.size(); ++i) {
    auto copy = bytes;
    copy[i] ^= std::byte{0x10};
    const std::span<const std::byte> part(copy);
    write_file_atomically(changed, std::span(&part, 1));
    CHECK_THROWS_WITH_AS((void)SafetensorsFile::open(changed), doctest::Contains("is damaged"),
                         Error);
  }
}

TEST_CASE("safetensors: names and shapes belong to the checksum; a file without one is accepted") {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.safetensors", changed = folder / "changed.safetensors";
  example().write(path);
  const std::string text = read_text_file(path, 1 << 20);
  const auto open_with = [&](const std::string& from, const std::string& to) {
    REQUIRE(from.size() == to.size());
    std::string other = text;
    const auto at = other.find(from);
    REQUIRE(at != std::string::npos);
    write_file_atomically(changed, other.replace(at, from.size(), to));
    (void)SafetensorsFile::open(changed);
  };
  CHECK_NOTHROW(open_with("checksum", "checksum"));
  CHECK_THROWS_AS(open_with("[2,3]", "[3,2]"), Error);
  CHECK_THROWS_AS(open_with("\"f\":", "\"g\":"), Error);
  CHECK_NOTHROW(open_with("checksum", "checkout"));
}

TEST_CASE("safetensors: metadata that are missing or no number are named with their file") {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.safetensors";
  SafetensorsWriter writer = example();
  writer.set_metadata("good", "120");
  const std::vector<std::string> bad{
      "", " 1", "1 ", "1x", "+1", "-1", "1e3", "0x10", "99999999999999999999"};
  for (std::size_t i = 0; i < bad.size(); ++i) writer.set_metadata(fmt::format("bad{}", i), bad[i]);
  writer.write(path);
  const auto file = SafetensorsFile::open(path);
  CHECK(file.metadata("format") == "test");
  CHECK(file.metadata_number("good") == 120);
  CHECK_THROWS_WITH_AS((void)file.metadata("lost"),
                       doctest::Contains("a.safetensors has no metadata 'lost'"), Error);
  for (std::size_t i = 0; i < bad.size(); ++i)
    CHECK_THROWS_WITH_AS((void)file.metadata_number(fmt::format("bad{}", i)),
                         doctest::Contains(fmt::format("'bad{}'", i).c_str()), Error);
}

TEST_CASE("files: an atomic write that fails leaves the old file") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "old");
  CHECK_THROWS_AS(write_file_atomically(folder / "missing" / "a", "new"), Error);
  CHECK_THROWS_AS((void)read_text_file(folder / "b"), Error);
  CHECK_THROWS_AS((void)read_text_file(folder.path()), Error);
  CHECK(read_text_file(folder / "a") == "old");
}
