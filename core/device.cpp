#include "core/device.h"

#include "core/cuda_runtime.h"
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
  if (device != Device::cuda) return;
  const std::string problem = cuda_problem();
  require(problem.empty(),
          "[device] cuda cannot be used: {}. Use --device cpu, or --device simt to run the CUDA "
          "kernels on the host",
          problem);
}

}  // namespace twinage
