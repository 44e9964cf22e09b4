#include "core/simt_memory.h"

#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/device_memory.h"
#include "core/error.h"
#include "tests/support/in_child.h"

namespace twinage {
namespace {

using test::End;
using test::in_child;

constexpr std::size_t kPage = 4096;

char* allocate(std::size_t bytes) {
  return static_cast<char*>(simt_memory::allocate(bytes));
}

TEST_CASE("simt_memory: pointers are known to be the device's, and their block is found") {
  char* a = allocate(100);
  char* b = allocate(5000);
  const int local = 0;
  const std::vector<int> heap(1);
  CHECK(simt_memory::in_region(a));
  CHECK(simt_memory::in_region(b + 4999));
  CHECK_FALSE(simt_memory::in_region(&local));
  CHECK_FALSE(simt_memory::in_region(heap.data()));
  CHECK_FALSE(simt_memory::in_region(nullptr));
  for (const std::size_t offset : {0, 2500, 4999}) {
    const simt_memory::Block block = simt_memory::block_of(b + offset);
    CHECK(block.begin == reinterpret_cast<std::uintptr_t>(b));
    CHECK(block.bytes == 5000);
  }
  CHECK(simt_memory::block_of(nullptr).bytes == 0);
  simt_memory::free(a);
  simt_memory::free(b);
}

TEST_CASE("simt_memory: a block starts on a page and is followed by an unused one") {
  std::vector<char*> blocks;
  for (const std::size_t bytes : {std::size_t{1}, kPage, kPage + 1})
    blocks.push_back(allocate(bytes));
  char* last = allocate(1);
  const auto gap = [](const char* from, std::size_t bytes, const char* to) {
    return static_cast<std::size_t>(to - (from + bytes));
  };
  CHECK(gap(blocks[0], 1, blocks[1]) >= kPage);
  CHECK(gap(blocks[1], kPage, blocks[2]) >= kPage);
  CHECK(gap(blocks[2], kPage + 1, last) >= kPage);
  blocks.push_back(last);
  for (char* block : blocks) {
    CHECK(reinterpret_cast<std::uintptr_t>(block) % kPage == 0);
    simt_memory::free(block);
  }
}

TEST_CASE("simt_memory: the first gap that is large enough is used, and is zeros again") {
  char* a = allocate(kPage);
  char* b = allocate(3 * kPage);
  char* c = allocate(kPage);
  set_bytes(b, Device::simt, 1, 3 * kPage);
  simt_memory::free(b);
  CHECK(simt_memory::block_of(b).begin == reinterpret_cast<std::uintptr_t>(a));
  char* larger = allocate(4 * kPage);
  CHECK(larger > c);
  char* again = allocate(2 * kPage);
  CHECK(again == b);
  std::vector<char> values(2 * kPage, 9);
  copy_bytes(values.data(), Device::cpu, again, Device::simt, 2 * kPage);
  CHECK(values == std::vector<char>(2 * kPage, 0));
  for (char* block : {a, c, larger, again}) simt_memory::free(block);
}

TEST_CASE("simt_memory: more than the region throws and leaves the rest as it was") {
  char* a = allocate(8);
  CHECK_THROWS_AS(allocate(std::size_t{17} << 30), Error);
  char* b = allocate(8);
  CHECK(b > a);
  simt_memory::free(a);
  simt_memory::free(b);
}

std::vector<std::string> g_heard;

void hear(const char* what, std::size_t bytes) {
  g_heard.push_back(fmt::format("{} {}", what, bytes));
}

TEST_CASE("simt_memory: a listener hears of what the host writes, frees and leaves undefined") {
  g_heard.clear();
  simt_memory::set_listener(
      {.freed = [](const simt_memory::Block& block) { hear("freed", block.bytes); },
       .written = [](const void*, std::size_t bytes) { hear("written", bytes); },
       .undefined = [](const void*, std::size_t bytes) { hear("undefined", bytes); }});
  char* a = allocate(24);
  const int value = 7;
  copy_bytes(a, Device::simt, &value, Device::cpu, sizeof value);
  set_bytes(a, Device::simt, 0, 16);
  simt_memory::make_undefined(a, 8);
  int back = 0;
  copy_bytes(&back, Device::cpu, a, Device::simt, sizeof back);  // a read: not told
  CHECK(back == -1);                                             // all bits set: a NaN as a float
  simt_memory::free(a);
  simt_memory::set_listener({});
  simt_memory::free(allocate(8));
  CHECK(g_heard == std::vector<std::string>{"written 4", "written 16", "undefined 8", "freed 24"});
}

void read_by_host(const char* p) {
  static_cast<void>(*static_cast<const volatile char*>(p));
}

TEST_CASE("simt_memory: closed to the host, a host read ends the process with a clear line") {
  constexpr const char* kLine = "[simt] the host followed a pointer into device memory";
  char* block = allocate(64);
  const auto closed = [&](auto f) {
    return in_child([&] {
      simt_memory::protect_from_host(true);
      f();
    });
  };
  const auto stopped = [&](const End& end) {
    return end.signal == SIGSEGV && end.said.find(kLine) == 0;
  };
  CHECK(stopped(closed([&] { read_by_host(block); })));
  CHECK(stopped(closed([&] { read_by_host(allocate(8)); })));  // what comes later, too
  CHECK(stopped(closed([&] {
    { const simt_memory::Access access; }
    read_by_host(block);
  })));
  // What is allowed: a kernel's or a copy's time, nested; memory of the host; and all, once the
  // protection is off again.
  const End fine = closed([&] {
    {
      const simt_memory::Access access;
      { const simt_memory::Access nested; }
      read_by_host(block);
    }
    set_bytes(block, Device::simt, 3, 64);
    char host = 0;
    copy_bytes(&host, Device::cpu, block, Device::simt, 1);
    read_by_host(&host);
    simt_memory::free(allocate(8));
    simt_memory::protect_from_host(false);
    read_by_host(block);
    if (host != 3) std::abort();
  });
  CHECK(fine.signal == 0);
  CHECK(fine.said == "");
  read_by_host(block);  // this process never closed it
  simt_memory::free(block);
}

}  // namespace
}  // namespace twinage
