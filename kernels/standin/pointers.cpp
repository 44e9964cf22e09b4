// What work reaches: the ends of copies, and the pointers among a kernel's arguments.
#include <cstring>

#include "core/error.h"
#include "core/simt_memory.h"
#include "kernels/standin/gpu.h"

namespace standin {
namespace {

// One entry a buffer: a kernel that both reads and writes it writes it.
void add_reach(Work& work, const Buffer& buffer, Range range, bool writes) {
  for (Reach& r : work.reaches)
    if (r.buffer == buffer.number && r.range.begin == range.begin && r.range.bytes == range.bytes) {
      r.writes = r.writes || writes;
      return;
    }
  work.reaches.push_back({buffer.number, range, writes});
}

// Any of the argument's words may be a pointer. A view says how far the kernel goes from there;
// else it is not known, and it reaches the whole buffer. A word that is no pointer may look like
// one; it would have to be an address of this very process.
void add_pointers(Work& work, const gpu::Argument& argument, std::string* problem) {
  Buffers& buffers = Gpu::the().buffers();
  const auto at = reinterpret_cast<std::uintptr_t>(argument.p);
  if (argument.bytes < sizeof(void*) || at % alignof(void*) != 0) return;  // it cannot hold one
  for (std::size_t i = 0; i + sizeof(void*) <= argument.bytes; i += sizeof(void*)) {
    const void* p = nullptr;
    std::memcpy(&p, static_cast<const char*>(argument.p) + i, sizeof p);
    if (const Buffer* buffer = buffers.holding(p)) {
      const bool view = i == 0 && argument.reach > 0;
      const Range range =
          view ? Range{reinterpret_cast<std::uintptr_t>(p), argument.reach} : buffer->range;
      if (!buffer->range.covers(range))
        *problem =
            fmt::format("{} is given a view of {} bytes from byte {} of {}: past its end",
                        work.call, range.bytes, range.begin - buffer->range.begin, buffer->name());
      add_reach(work, *buffer, range, !argument.reads_only);
    } else if (argument.cleared &&
               (twinage::simt_memory::in_region(p) || buffers.mapped_on_host(p)))
      *problem = fmt::format("{} is given a pointer {}", work.call, buffers.text(p));
  }
}

}  // namespace

Where locate(Work& work, const void* p, std::size_t bytes, bool writes, std::string* problem) {
  Buffers& buffers = Gpu::the().buffers();
  const Buffer* buffer = buffers.holding(p);
  const Range range{reinterpret_cast<std::uintptr_t>(p), bytes};
  if (buffer != nullptr) {
    if (!buffer->range.covers(range)) {
      *problem =
          fmt::format("{} of {} bytes {} byte {} of {}: past its end", work.call, bytes,
                      writes ? "to" : "from", range.begin - buffer->range.begin, buffer->name());
      return Where::nowhere;
    }
    add_reach(work, *buffer, range, writes);
    return buffer->pinned ? Where::pinned : Where::device;
  }
  const std::string text = buffers.text(p);
  if (text.find("pageable") != std::string::npos) return Where::pageable;
  *problem = fmt::format("{} {} a pointer {}", work.call, writes ? "to" : "from", text);
  return Where::nowhere;
}

std::shared_ptr<Work> kernel_work(const gpu::Launch& launch, std::span<const gpu::Argument> all,
                                  std::string* problem) {
  auto work =
      std::make_shared<Work>(Work::Kind::kernel, fmt::format("kernel '{}'", launch.operation));
  work->operation = launch.operation;
  const std::size_t words =
      (launch.call_bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t);
  work->call_bytes = std::make_unique<std::max_align_t[]>(words);
  std::memcpy(work->call_bytes.get(), launch.call, launch.call_bytes);
  work->launch = launch;
  work->launch.operation = work->operation.c_str();
  work->launch.call = work->call_bytes.get();
  for (const gpu::Argument& argument : all) add_pointers(*work, argument, problem);
  return work;
}

}  // namespace standin
