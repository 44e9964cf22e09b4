// Where the arithmetic happens.
#pragma once
#include <string_view>

#include "core/enum_names.h"

namespace twinage {

enum class Device {
  cpu,   // hand-written vector code on the host
  cuda,  // an NVIDIA GPU
  simt,  // the CUDA kernels, run and checked on the host
};

template <>
struct EnumNames<Device> {
  static constexpr std::string_view what = "device";
  static constexpr EnumName<Device> table[] = {
      {Device::cpu, "cpu"},
      {Device::cuda, "cuda"},
      {Device::simt, "simt"},
  };
};

// A device, and which one where a machine has several GPUs.
struct DeviceChoice {
  Device device = Device::cpu;
  int gpu = 0;

  DeviceChoice() = default;
  DeviceChoice(Device chosen, int ordinal = 0) : device(chosen), gpu(ordinal) {}
};

// "cpu", "simt", "cuda" or "cuda:1". Throws UsageError for an unknown name.
DeviceChoice parse_device(std::string_view name);

// Throws Error unless this build and this machine can compute on `device`. Nothing ever falls back
// to another device by itself.
void require_available(Device device);

}  // namespace twinage
