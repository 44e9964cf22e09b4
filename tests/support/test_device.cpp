#include "tests/support/test_device.h"

#include <cstdlib>

#include <doctest/doctest.h>

#include "core/cuda_runtime.h"
#include "core/device_memory.h"
#include "core/error.h"

namespace twinage::test {

Device test_device() {
  static const Device device = [] {
    const char* name = std::getenv("TWINAGE_TEST_DEVICE");
    return name == nullptr ? Device::cpu : parse_device(name).device;
  }();
  return device;
}

std::vector<Device> gpu_devices() {
  if (const std::string problem = cuda_problem(); !problem.empty()) {
    MESSAGE("device cuda was not tested: ", problem);
    if (test_device() != Device::cuda) return {Device::simt};
  }
  return {Device::simt, Device::cuda};
}

std::vector<Device> all_devices() {
  std::vector<Device> devices = gpu_devices();
  devices.insert(devices.begin(), Device::cpu);
  return devices;
}

void* allocate_shared(std::size_t bytes) {
  if (test_device() == Device::cuda) return cuda_allocate_pinned(bytes);
  return allocate_bytes(bytes, test_device());
}

void free_shared(void* p, std::size_t bytes) noexcept {
  if (test_device() == Device::cuda) return cuda_free_pinned(p);
  free_bytes(p, bytes, test_device());
}

}  // namespace twinage::test
