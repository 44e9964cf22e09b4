// The inputs that the fuzzers found interesting, and those that were findings, put to the same
// targets without libFuzzer. corpus/TARGET.hex holds an input a line, in hexadecimal.
#include <fstream>
#include <map>

#include <doctest/doctest.h>

#include "tests/fuzz/fresh_memory.h"
#include "tests/fuzz/target.h"

using namespace twinage;
using namespace twinage::fuzz;

namespace {

std::vector<std::byte> bytes_of(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

}  // namespace

TEST_CASE("what the fuzzers kept does not break a promise") {
  REQUIRE(targets().size() == 11);
  for (const Target& target : targets()) {
    CAPTURE(target.name);
    const std::string path = fmt::format("{}/{}.hex", TWINAGE_FUZZ_CORPUS, target.name);
    std::ifstream file(path);
    REQUIRE_MESSAGE(file.good(), path);
    std::size_t inputs = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with('#')) continue;
      CAPTURE(line);
      ++inputs;
      CHECK_NOTHROW(target.run(bytes_of(line)));
    }
    CHECK(inputs >= 3);
  }
}

TEST_CASE("memory that was never written to can be told from memory that was") {
  const auto first_byte = [](std::uint8_t fill) {
    const FreshMemory memory(fill);
    auto* block = static_cast<std::uint8_t*>(::operator new(5000));
    const std::uint8_t byte = *static_cast<volatile std::uint8_t*>(block + 500);
    ::operator delete(block);
    return byte;
  };
  CHECK(first_byte(0x00) == 0x00);
  CHECK(first_byte(0xA5) == 0xA5);
}
