#include "kernels/simt/memory_map.h"

#include <algorithm>
#include <vector>

#include <link.h>

#include "core/simt_memory.h"
#include "kernels/simt/host_dialect.h"

namespace gpu {
namespace {

struct Range {
  std::uintptr_t begin, end;
  bool holds(const void* p) const {
    const auto at = reinterpret_cast<std::uintptr_t>(p);
    return at >= begin && at < end;
  }
};

// The program's parts without write permission, and those that lose it after loading.
std::vector<Range> read_only_parts() {
  std::vector<Range> parts;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          const bool fixed = part.p_type == PT_LOAD && (part.p_flags & PF_W) == 0;
          if (!fixed && part.p_type != PT_GNU_RELRO) continue;
          const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          static_cast<std::vector<Range>*>(result)->push_back({begin, begin + part.p_memsz});
        }
        return 1;  // the first is the program itself
      },
      &parts);
  return parts;
}

template <class T>
bool within(const T& variable, const void* p) {
  const auto begin = reinterpret_cast<std::uintptr_t>(&variable);
  return Range{begin, begin + sizeof variable}.holds(p);
}

}  // namespace

bool is_constant(const void* p) {
  static const std::vector<Range> parts = read_only_parts();
  return std::any_of(parts.begin(), parts.end(), [p](const Range& r) { return r.holds(p); });
}

bool reached_by_kernels(const void* p, std::size_t bytes) {
  if (twinage::simt_memory::in_region(p)) return true;
  return stand_in() != nullptr && stand_in()->reaches(p, bytes);
}

bool is_built_in_variable(const void* p) {
  return within(threadIdx, p) || within(blockIdx, p) || within(blockDim, p) || within(gridDim, p);
}

}  // namespace gpu
