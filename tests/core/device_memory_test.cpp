#include "core/device_memory.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "tests/support/test_device.h"

namespace twinage {
namespace {

using namespace test;

using Bytes = std::vector<std::uint8_t>;

struct Block {
  Block(std::size_t size, Device where)
      : bytes(size), device(where), p(static_cast<std::uint8_t*>(allocate_bytes(size, where))) {}
  ~Block() { free_bytes(p, bytes, device); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  Bytes to_host() const {
    Bytes host(bytes, 0xcd);
    copy_bytes(host.data(), Device::cpu, p, device, bytes);
    return host;
  }

  std::size_t bytes;
  Device device;
  std::uint8_t* p;
};

TEST_CASE("device_memory: zeros on cache lines, also where memory was used before") {
  for (const Device device : all_devices())
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{1000}, std::size_t{3} << 20}) {
      CAPTURE(to_string(device));
      CAPTURE(bytes);
      for (int round = 0; round < 2; ++round) {
        const Block block(bytes, device);
        CHECK(reinterpret_cast<std::uintptr_t>(block.p) % 64 == 0);
        CHECK(block.to_host() == Bytes(bytes, 0));
        set_bytes(block.p, device, 0xee, bytes);
        CHECK(block.to_host() == Bytes(bytes, 0xee));
      }
    }
}

// Where a block starts says how it is freed: no small one may start as the large ones do. Blocks
// that are 4096 bytes apart in glibc's heap, behind one that shifts them, come to every cache line.
TEST_CASE("device_memory: small blocks, wherever they lie, are freed as what they are") {
  constexpr std::size_t kHugePage = std::size_t{2} << 20, kApart = 4096 - 3 * 64 - 8;
  const auto starts_huge_page = [](const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) % kHugePage == 0;
  };
  std::vector<void*> blocks;
  blocks.reserve(1200);
  for (std::size_t line = 0; line < 64; ++line) {
    blocks.push_back(allocate_bytes(2000 + 64 * line, Device::cpu));
    while (blocks.size() < 1200) blocks.push_back(allocate_bytes(kApart, Device::cpu));
    CHECK(std::ranges::none_of(blocks, starts_huge_page));
    for (void* block : blocks)
      free_bytes(block, block == blocks.front() ? 2000 + 64 * line : kApart, Device::cpu);
    blocks.clear();
  }
  const Block large(kHugePage, Device::cpu);
  CHECK(starts_huge_page(large.p));
}

TEST_CASE("device_memory: copies between host and device, and parts of blocks") {
  for (const Device device : all_devices()) {
    CAPTURE(to_string(device));
    const Bytes values = {1, 2, 3, 4};
    const Block a(4, device), b(4, device);
    copy_bytes(a.p, device, values.data(), Device::cpu, 4);
    copy_bytes(b.p + 1, device, a.p, device, 2);
    CHECK(b.to_host() == Bytes{0, 1, 2, 0});
    set_bytes(b.p + 3, device, 9, 1);
    CHECK(b.to_host() == Bytes{0, 1, 2, 9});
  }
}

TEST_CASE("device_memory: what is in use is counted, each device by itself") {
  for (const Device device : all_devices()) {
    CAPTURE(to_string(device));
    const std::size_t before = bytes_in_use(device);
    {
      const Block a(1000, device);
      {
        const Block b(3 << 20, device);
        CHECK(bytes_in_use(device) == before + 1000 + (3 << 20));
      }
      CHECK(bytes_in_use(device) == before + 1000);
    }
    CHECK(bytes_in_use(device) == before);
    CHECK(most_bytes_in_use(device) >= before + 1000 + (3 << 20));
  }
}

TEST_CASE("device_memory: nothing is done for no bytes, freeing nothing is fine") {
  for (const Device device : all_devices()) {
    copy_bytes(nullptr, device, nullptr, Device::cpu, 0);
    set_bytes(nullptr, device, 1, 0);
    free_bytes(nullptr, 0, device);
  }
}

TEST_CASE("device_memory: only cpu memory is the host's; two kinds of device do not mix") {
  CHECK(host_readable(Device::cpu));
  CHECK_FALSE(host_readable(Device::simt));
  CHECK_FALSE(host_readable(Device::cuda));
  Bytes a(4), b(4);
  CHECK_THROWS_AS(copy_bytes(a.data(), Device::cuda, b.data(), Device::simt, 4), Error);
  CHECK_THROWS_AS(copy_bytes(a.data(), Device::simt, b.data(), Device::cuda, 4), Error);
}

TEST_CASE("device_memory: without a GPU, cuda says why and what to use instead") {
  if (cuda_problem().empty()) return;  // there is one: nothing to say
  std::string said;
  try {
    allocate_bytes(4, Device::cuda);
  } catch (const Error& error) {
    said = error.what();
  }
  CHECK(said.find(cuda_problem()) != std::string::npos);
  CHECK(said.find("--device simt") != std::string::npos);
}

}  // namespace
}  // namespace twinage
