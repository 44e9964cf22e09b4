#include "core/device.h"

#include "core/error.h"

namespace twinage {

std::string to_string(Device device) {
  switch (device) {
    case Device::cpu:
      return "cpu";
    case Device::cuda:
      return "cuda";
    case Device::simt:
      return "simt";
  }
  return "?";
}

Device parse_device(std::string_view name) {
  if (name == "cpu") return Device::cpu;
  if (name == "cuda") return Device::cuda;
  if (name == "simt") return Device::simt;
  throw UsageError(fmt::format("[device] no device '{}': use cpu, cuda or simt", name));
}

void require_available(Device device) {
  require(device == Device::cpu,
          "[device] '{}' is not in this build: it has no CUDA kernels yet; use --device cpu",
          to_string(device));
}

}  // namespace twinage
