// Raw memory of a device, and the one way between host and device. Tensor and Array own such
// memory; everything else borrows it through views.
#pragma once
#include <cstddef>

#include "core/device.h"

namespace twinage {

// Zero-filled, aligned to a cache line at least. Throws Error when the device has no such amount.
void* allocate_bytes(std::size_t bytes, Device device);
void free_bytes(void* p, std::size_t bytes, Device device) noexcept;  // as many as were allocated

// What is allocated of a device's memory now, and most at once since the process began; bytes as
// they were asked for.
std::size_t bytes_in_use(Device device);
std::size_t most_bytes_in_use(Device device);

// Between any two places; `bytes` may be 0. Returns when the copy is done, and after all earlier
// work of either device. Throws Error.
void copy_bytes(void* to, Device to_device, const void* from, Device from_device,
                std::size_t bytes);

// Sets every byte, as memset.
void set_bytes(void* p, Device device, int value, std::size_t bytes);

// Whether the host may follow pointers into memory of this device.
inline bool host_readable(Device device) {
  return device == Device::cpu;
}

}  // namespace twinage
