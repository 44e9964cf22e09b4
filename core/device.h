// Where the arithmetic happens.
#pragma once
#include <string>
#include <string_view>

namespace twinage {

enum class Device {
  cpu,   // hand-written vector code on the host
  cuda,  // an NVIDIA GPU
  simt,  // the CUDA kernels, run and checked on the host
};

std::string to_string(Device device);

// Throws UsageError for an unknown name.
Device parse_device(std::string_view name);

// Throws Error unless this build and this machine can compute on `device`. Nothing ever falls back
// to another device by itself.
void require_available(Device device);

}  // namespace twinage
