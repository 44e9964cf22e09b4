#include "core/array.h"

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/test_device.h"

namespace twinage {
namespace {

using namespace test;

std::vector<std::int32_t> to_host(const Array<std::int32_t>& array) {
  std::vector<std::int32_t> values(array.size(), -1);
  array.copy_to(values);
  return values;
}

TEST_CASE("array: starts as zeros, goes to the device and comes back") {
  for (const Device device : all_devices()) {
    CAPTURE(to_string(device));
    Array<std::int32_t> array(5, device);
    CHECK(array.size() == 5);
    CHECK(array.device() == device);
    CHECK(array.span().data() == array.data());
    CHECK(array.span().size() == 5);
    CHECK(to_host(array) == std::vector<std::int32_t>(5, 0));
    const std::vector<std::int32_t> values = {3, -1, 4, -1, 5};
    array.copy_from(values);
    CHECK(to_host(array) == values);
  }
}

TEST_CASE("array: a wrong number of values throws, nothing is copied") {
  for (const Device device : all_devices()) {
    CAPTURE(to_string(device));
    Array<std::int32_t> array(2, device);
    const std::vector<std::int32_t> values = {1, 2, 3};
    std::vector<std::int32_t> room(1, 9);
    CHECK_THROWS_WITH_AS(array.copy_from(values), "[array] expected 2 values, got 3", Error);
    CHECK_THROWS_WITH_AS(array.copy_to(room), "[array] expected room for 2 values, got 1", Error);
    CHECK(to_host(array) == std::vector<std::int32_t>(2, 0));
    CHECK(room[0] == 9);
  }
}

TEST_CASE("array: moving hands the memory on") {
  for (const Device device : all_devices()) {
    CAPTURE(to_string(device));
    Array<std::int32_t> a(2, device);
    a.copy_from(std::vector<std::int32_t>{7, 8});
    const std::int32_t* memory = a.data();
    Array<std::int32_t> b = std::move(a);
    CHECK(b.data() == memory);
    Array<std::int32_t> c(1, Device::cpu);
    c = std::move(b);
    CHECK(c.data() == memory);
    CHECK(c.device() == device);
    CHECK(to_host(c) == std::vector<std::int32_t>{7, 8});
  }
}

TEST_CASE("array: an empty one is fine") {
  Array<std::uint8_t> nothing;
  CHECK(nothing.size() == 0);
  nothing.copy_from({});
  nothing.copy_to({});
  for (const Device device : all_devices()) CHECK(Array<std::uint8_t>(0, device).size() == 0);
}

}  // namespace
}  // namespace twinage
