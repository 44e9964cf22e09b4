#include "core/device.h"

#include <charconv>

#include "core/cuda_runtime.h"
#include "core/error.h"

namespace twinage {

DeviceChoice parse_device(std::string_view name) {
  for (const auto& entry : EnumNames<Device>::table)
    if (name == entry.name) return entry.value;
  constexpr std::string_view kGpu = "cuda:";
  if (name.starts_with(kGpu)) {
    const std::string_view number = name.substr(kGpu.size());
    int gpu = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), gpu);
    if (error == std::errc() && end == number.data() + number.size() && gpu >= 0)
      return {Device::cuda, gpu};
  }
  throw UsageError(fmt::format("[device] no device '{}': use cpu, cuda, cuda:1 or simt", name));
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
