#include "kernels/simt/checker.h"

#include <algorithm>

#include "core/error.h"
#include "core/simt_memory.h"
#include "kernels/simt/memory_map.h"
#include "kernels/simt/profile.h"

namespace gpu {
namespace {

namespace simt_memory = twinage::simt_memory;

const char* verb(AccessKind kind) {
  return kind == AccessKind::read ? "read" : "write";
}

// Heard from the start of the program on, so that no block of memory escapes.
[[maybe_unused]] const bool kListening = [] {
  if constexpr (kChecking) {
    simt_memory::Listener listener;
    listener.freed = [](const simt_memory::Block& b) { checker().freed(b.begin); };
    listener.written = [](const void* p, std::size_t n) { checker().host_wrote(p, n); };
    listener.undefined = [](const void* p, std::size_t n) { checker().handed_out_undefined(p, n); };
    simt_memory::set_listener(listener);
  }
  return kChecking;
}();

}  // namespace

Checker& checker() {
  static Checker* c = new Checker;  // never destroyed: tensors of static storage are freed later
  return *c;
}

// 1. time

void Checker::begin_launch() {
  launch_epoch_ = ++epoch_;
  blocks_.clear();
}

void Checker::begin_block(const Block& block) {
  blocks_.push_back({++epoch_, block.number()});
  shared_.clear();
}

void Checker::end_interval() {
  ++epoch_;
}

// Whether nothing orders the past access before the one that the running thread is about to make.
bool Checker::unordered(Block& block, const Past& past) const {
  if (past.epoch < launch_epoch_ || past.epoch == 0) return false;  // launches run one by one
  if (past.who == Past::kManyBlocks || past.epoch < blocks_.back().epoch) return true;
  if (past.epoch != epoch_) return false;  // a barrier lies between
  const Thread& me = block.thread();
  if (past.who == me.number) return false;
  if (past.who == Past::kManyWarps) return true;
  const unsigned warp = past.who >= Past::kOneWarp ? past.who - Past::kOneWarp : past.who / kWarp;
  return warp != me.number / kWarp || past.syncs == block.warp_of(me).syncs;
}

// 2. places

std::string Checker::Target::name() const {
  return array != nullptr ? array->text() : fmt::format("device memory of {} bytes", bytes);
}

Checker::Target Checker::find(Block& block, const Access& a) {
  if (block.on_own_stack(a.p)) return {};
  if (block.shared().holds(a.p)) return find_shared(block, a);
  if (simt_memory::in_region(a.p)) return find_on_device(block, a);
  if (is_built_in_variable(a.p) || (a.kind == AccessKind::read && is_constant(a.p))) return {};
  const auto* call = static_cast<const char*>(block.launch().call);
  if (a.kind == AccessKind::read && a.p >= call && a.p < call + block.launch().call_bytes)
    return {};
  if (reached_by_kernels(a.p, a.bytes)) return {};  // page-locked
  stop_at(block, a,
          fmt::format("{} of host memory ({}, neither device memory, nor shared, nor the thread's "
                      "own)",
                      verb(a.kind), a.p == nullptr ? "a null pointer" : "a pointer of the host"),
          "", 0);
}

Checker::Target Checker::find_shared(Block& block, const Access& a) {
  const SharedMemory::Array& array = block.shared().array_of(a.p);
  const std::size_t offset = block.shared().offset_in(array, a.p);
  if (offset + a.bytes > array.bytes)
    stop_at(block, a, fmt::format("{} past the end ({} bytes)", verb(a.kind), array.bytes),
            array.text(), offset);
  auto [shadow, added] = shared_.try_emplace(array.begin, array.bytes);
  if (added)  // the first access in this block
    for (Cell& c : shadow->second.cells(0, (array.bytes + 3) / 4 * 4)) c.undefined = true;
  return {&shadow->second, &array, array.bytes, offset};
}

Checker::Target Checker::find_on_device(Block& block, const Access& a) {
  const auto at = reinterpret_cast<std::uintptr_t>(a.p);
  {
    const std::lock_guard lock(mutex_);
    std::uintptr_t begin = 0;
    DeviceMemory* memory = device_memory(a.p, &begin);
    if (memory != nullptr && at - begin + a.bytes <= memory->bytes)
      return {&memory->shadow, nullptr, memory->bytes, at - begin};
  }
  const simt_memory::Block before = simt_memory::block_of(a.p);
  stop_at(block, a, fmt::format("{} past the end", verb(a.kind)),
          fmt::format("device memory of {} bytes", before.bytes), at - before.begin);
}

void Checker::stop_at(Block& block, const Access& a, std::string kind, std::string object,
                      std::size_t offset) {
  block.fault({std::move(kind), std::move(object), offset, a.pc, block.name_of_running()});
  block.stop();
}

// 3. accesses

const char* Checker::judge(Block& block, const Cell& cell, AccessKind kind,
                           const Past** other) const {
  const bool writes = kind != AccessKind::read;
  *other = &cell.write;
  if (cell.in_flight)
    return writes ? "write while a copy to there is under way"
                  : "read while a copy to there is under way";
  if (unordered(block, cell.write) && !(kind == AccessKind::atomic && cell.atomic))
    return writes ? "race (write after write)" : "race (read after write)";
  *other = &cell.read;
  if (writes && unordered(block, cell.read)) return "race (write after read)";
  *other = nullptr;
  if (!writes && cell.undefined) return "uninitialised read";
  return nullptr;
}

void Checker::access(Block& block, const Access& a) {
  const Target target = find(block, a);
  if (target.shadow == nullptr) return;
  std::size_t offset = target.offset;
  bool told = false;
  for (Cell& cell : target.shadow->cells(target.offset, a.bytes)) {
    const Past* other = nullptr;
    const char* kind = told ? nullptr : judge(block, cell, a.kind, &other);
    if (kind != nullptr) {
      block.fault({kind, target.name(), offset, a.pc, block.name_of_running(),
                   other != nullptr ? name_of(block, *other) : "",
                   other != nullptr ? Where(other->pc) : Where()});
      told = true;
    }
    record(block, cell, a);
    offset += target.shadow->granule();
  }
  if (Profile* profile = Profile::active(); profile != nullptr && a.counted == Counted::yes)
    profile->count(block, a, target.array != nullptr);
}

void Checker::record(Block& block, Cell& cell, const Access& a) const {
  if (a.kind == AccessKind::read) {
    record_read(block, cell.read);
    cell.read.pc = a.pc;
    return;
  }
  const Thread& me = block.thread();
  cell.write = {epoch_, block.warp_of(me).syncs, static_cast<std::uint16_t>(me.number), a.pc};
  cell.atomic = a.kind == AccessKind::atomic;
  cell.undefined = cell.in_flight = false;
}

// Many may read the same place. Remembered is enough of them that a later write by anybody can be
// judged: the last reader, or that there were several.
void Checker::record_read(Block& block, Past& past) const {
  const auto me = static_cast<std::uint16_t>(block.thread().number);
  const auto my_warp = static_cast<std::uint16_t>(Past::kOneWarp + me / kWarp);
  const std::uint32_t syncs = block.warp_of(block.thread()).syncs;
  std::uint16_t who = me;
  if (past.epoch >= launch_epoch_ && past.epoch != 0 &&
      (past.who == Past::kManyBlocks || past.epoch < blocks_.back().epoch)) {
    who = Past::kManyBlocks;
  } else if (past.epoch == epoch_ && past.who != me) {
    const bool same_warp =
        past.who == my_warp || (past.who < Past::kOneWarp && past.who / kWarp == me / kWarp);
    if (!same_warp)
      who = Past::kManyWarps;
    else if (past.syncs == syncs)
      who = my_warp;  // else the earlier lanes are ordered before this one, which stands for them
  }
  past = {epoch_, syncs, who, past.pc};
}

std::string Checker::name_of(const Block& block, const Past& past) const {
  if (past.who == Past::kManyBlocks) return "several blocks";
  std::string name;
  if (past.epoch < blocks_.back().epoch) {
    const auto next = std::find_if(blocks_.begin(), blocks_.end(),
                                   [&](const Started& s) { return s.epoch > past.epoch; });
    name = block.name_of_block(std::prev(next)->block) + " ";
  }
  if (past.who == Past::kManyWarps) return name + "several warps";
  if (past.who >= Past::kOneWarp)
    return name + fmt::format("several lanes of warp {}", past.who - Past::kOneWarp);
  return name + block.name_of(past.who);
}

// 4. asynchronous copies: the place belongs to the copy from its issue to the wait

void Checker::copy_issued(Block& block, const AsyncCopy& copy) {
  if (copy.zeros < copy.bytes)
    access(block, {copy.from, copy.bytes - copy.zeros, AccessKind::read, copy.pc});
  access(block, {copy.to, copy.bytes, AccessKind::write, copy.pc});
  const Target target = find(block, {copy.to, copy.bytes, AccessKind::write, copy.pc});
  for (Cell& cell : target.shadow->cells(target.offset, copy.bytes)) cell.in_flight = true;
}

void Checker::copy_done(Block& block, const AsyncCopy& copy) {
  const Access write{copy.to, copy.bytes, AccessKind::write, copy.pc};
  const Target target = find(block, write);
  for (Cell& cell : target.shadow->cells(target.offset, copy.bytes)) record(block, cell, write);
}

// 5. the memory of the device

Checker::DeviceMemory* Checker::device_memory(const void* p, std::uintptr_t* begin) {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  const auto next = device_.upper_bound(at);
  if (next != device_.begin()) {
    auto& [first, memory] = *std::prev(next);
    *begin = first;
    if (at - first < memory.bytes) return &memory;
  }
  const simt_memory::Block block = simt_memory::block_of(p);
  if (block.begin == 0 || at - block.begin >= block.bytes) return nullptr;
  *begin = block.begin;
  return &device_.try_emplace(block.begin, DeviceMemory{block.bytes, Shadow(block.bytes)})
              .first->second;
}

void Checker::freed(std::uintptr_t begin) {
  const std::lock_guard lock(mutex_);
  device_.erase(begin);
}

void Checker::host_wrote(const void* p, std::size_t bytes) {
  set_undefined(p, bytes, false);
}

void Checker::handed_out_undefined(const void* p, std::size_t bytes) {
  set_undefined(p, bytes, true);
}

void Checker::set_undefined(const void* p, std::size_t bytes, bool undefined) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex_);
  std::uintptr_t begin = 0;
  DeviceMemory* memory = device_memory(p, &begin);
  if (memory == nullptr) return;
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(p) - begin;
  for (Cell& cell : memory->shadow.cells(offset, std::min(bytes, memory->bytes - offset)))
    cell.undefined = undefined;
}

}  // namespace gpu
