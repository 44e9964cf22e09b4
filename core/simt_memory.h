// The memory of device `simt`: one region of address space that stands for a GPU's memory, so that
// any pointer can be told to be the device's or the host's. Between kernels and copies the region
// can be closed to the host (protect_from_host), and a host read of a device pointer then stops
// with a clear line, as it would on a GPU.
#pragma once
#include <cstddef>
#include <cstdint>

namespace twinage::simt_memory {

struct Block {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
};

void* allocate(std::size_t bytes);  // zero-filled; throws Error when the region is full
void free(void* p) noexcept;

bool in_region(const void* p);
// The block that holds p, or the last one before it; {0, 0} when there is none.
Block block_of(const void* p);

// What the checks of kernels/simt hear about: memory that was freed, written to by the host, or
// handed out as undefined. Null: nobody listens.
struct Listener {
  void (*freed)(const Block&) = nullptr;
  void (*written)(const void* p, std::size_t bytes) = nullptr;
  void (*undefined)(const void* p, std::size_t bytes) = nullptr;
};
void set_listener(Listener listener);
void host_wrote(const void* p, std::size_t bytes);

// For scratch memory that is handed out without a value: NaN in every float from here on, and a
// fault of the kernel that reads it before it writes, where that is checked.
void make_undefined(void* p, std::size_t bytes);

// From here on, the host may touch the region only within an Access. Off at the start, so that
// tests can look at what a kernel wrote.
void protect_from_host(bool on);

// Opens the region for the time of a kernel or a copy. Nests.
class Access {
 public:
  Access();
  ~Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
};

}  // namespace twinage::simt_memory
