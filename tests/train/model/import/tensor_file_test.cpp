#include "train/model/import/tensor_file.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "core/safetensors.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
namespace fs = std::filesystem;

namespace {

const fs::path kFixtures = TWINAGE_FIXTURES;

std::string refusal(const fs::path& path) {
  try {
    const auto file = TensorFile::open(path);
    for (const std::string& name : file->names()) file->floats(name);
  } catch (const Error& error) {
    return error.what();
  }
  return "(read)";
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
// A build without libzip refuses every archive, which is tested where there is one.
bool reads_archives() {
  return !has(refusal(kFixtures / "weights.pth"), "no libzip");
}

}  // namespace

TEST_CASE("a .pth of torch.save: tensors of every type, with any strides, as PyTorch has them") {
  if (!reads_archives()) {
    MESSAGE("this build has no libzip: .pth files WERE NOT TESTED");
    return;
  }
  const auto file = TensorFile::open(kFixtures / "weights.pth");
  const auto expected = SafetensorsFile::open(kFixtures / "weights_expected.safetensors");
  CHECK_FALSE(file->is_model());
  int compared = 0;
  for (const std::string& name : file->names()) {
    if (name.starts_with("module.")) continue;
    CAPTURE(name);
    CHECK(file->shape(name) == expected.entry(name).shape);
    CHECK(file->floats(name) == expected.floats(name));
    ++compared;
  }
  CHECK(compared == 18);
  CHECK_THROWS_AS(file->shape("nothing"), Error);
}

TEST_CASE("safetensors of other programs: half and bfloat16, whole numbers and truth values") {
  const test::TemporaryFolder folder;
  const std::string header = R"({"h":{"dtype":"F16","shape":[7],"data_offsets":[0,14]},)"
                             R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[14,18]},)"
                             R"("t":{"dtype":"BOOL","shape":[2],"data_offsets":[18,20]},)"
                             R"("s":{"dtype":"I16","shape":[1],"data_offsets":[20,22]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  bytes[1] = static_cast<char>(header.size() >> 8);
  bytes += header;
  // 1, -2, 65504 (the largest), 2^-14 (the least normal), 2^-24 (the least of all), infinity, -0
  for (const int half : {0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x7C00, 0x8000})
    (bytes += static_cast<char>(half)) += static_cast<char>(half >> 8);
  for (const int upper : {0x3FC0, 0xC000})  // 1.5, -2
    (bytes += static_cast<char>(upper)) += static_cast<char>(upper >> 8);
  bytes += std::string("\0\1", 2) + std::string("\xFE\xFF", 2);
  write_file_atomically(folder / "a.bin", bytes);
  const auto file = TensorFile::open(folder / "a.bin");  // whatever its name
  CHECK(file->floats("h") == std::vector<float>{1, -2, 65504, 0x1p-14F, 0x1p-24F, INFINITY, -0.0F});
  CHECK(file->floats("b") == std::vector<float>{1.5F, -2});
  CHECK(file->floats("t") == std::vector<float>{0, 1});
  CHECK(file->floats("s") == std::vector<float>{-2});
  CHECK(std::isnan(float_of_half(0x7E00)));
}

TEST_CASE(
    "other files are refused with a word of what they are, and archives wherever they are cut") {
  const test::TemporaryFolder folder;
  const auto with = [&](const std::string& bytes) {
    write_file_atomically(folder / "x", bytes);
    return refusal(folder / "x");
  };
  CHECK(has(refusal(folder / "gone"), "is no file"));
  CHECK(has(refusal(folder.path()), "is no file"));
  CHECK(has(with("hello"), "neither"));
  CHECK(has(with(""), "neither"));
  CHECK(has(with("\x80\x02}."), "PyTorch before 1.6"));
  if (!reads_archives()) return;
  const std::string whole = read_text_file(kFixtures / "weights.pth");
  for (std::size_t length = 4; length < whole.size(); length += 97)
    CHECK(has(with(whole.substr(0, length)), "cut off or damaged"));
  // Any byte of it changed is an error or another number, and never more than that.
  for (std::size_t i = 0; i < whole.size(); i += 13) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    with(changed);
  }
}
