// The devices that this machine has, for tests of memory.
#pragma once
#include <vector>

#include "core/cuda_runtime.h"
#include "core/device.h"

namespace twinage::test {

inline std::vector<Device> devices() {
  std::vector<Device> found = {Device::cpu, Device::simt};
  if (cuda_problem().empty()) found.push_back(Device::cuda);
  return found;
}

}  // namespace twinage::test
