// Shadow memory: for every few bytes of an array, what was done to them last.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "core/error.h"

namespace gpu {

// An access, as it is remembered. Time is counted in epochs: one ends at each barrier of a block
// and between blocks; 0 is before all of them.
struct Past {
  // Instead of a thread's number in its block:
  static constexpr std::uint16_t kOneWarp = 0x8000;  // + its number: several lanes of this warp
  static constexpr std::uint16_t kManyWarps = 0xfffe;
  static constexpr std::uint16_t kManyBlocks = 0xffff;

  std::uint32_t epoch = 0;
  std::uint32_t syncs = 0;  // how many __syncwarp its warp had passed
  std::uint16_t who = 0;
  const void* pc = nullptr;
};

// All zeros: defined, and nothing has happened.
struct Cell {
  Past write, read;
  bool undefined = false;  // nothing was written since the memory was handed out
  bool in_flight = false;  // a copy to here was issued (which `write` tells) and not waited for
  bool atomic = false;     // the write was
};

class Shadow {
 public:
  explicit Shadow(std::size_t bytes) : count_((bytes + 3) / 4), cells_(allocate(count_)) {}

  // The cells for an access, and only those it touches: a cell stands for 4 bytes, and the first
  // access to parts of them makes all cells of the array smaller.
  std::span<Cell> cells(std::size_t offset, std::size_t bytes) {
    while (((offset | bytes) & (granule() - 1)) != 0) halve();
    return {cells_.get() + (offset >> shift_), bytes >> shift_};
  }
  std::size_t granule() const { return std::size_t{1} << shift_; }  // bytes a cell

 private:
  struct Free {
    void operator()(Cell* p) const noexcept { std::free(p); }
  };
  using Cells = std::unique_ptr<Cell[], Free>;

  // Large areas of zeros cost no memory until they are touched.
  static Cells allocate(std::size_t count) {
    Cells cells(static_cast<Cell*>(std::calloc(count + 1, sizeof(Cell))));
    twinage::require(cells != nullptr, "[simt] no memory left to check {} accesses", count);
    return cells;
  }

  void halve() {
    Cells smaller = allocate(2 * count_);
    for (std::size_t i = 0; i < count_; ++i) smaller[2 * i] = smaller[2 * i + 1] = cells_[i];
    cells_ = std::move(smaller);
    count_ *= 2;
    --shift_;
  }

  std::size_t count_;
  int shift_ = 2;
  Cells cells_;
};

}  // namespace gpu
