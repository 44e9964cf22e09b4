// One scan of a JPEG, walked from its first block to its last.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/shape.h"
#include "train/faces/pictures/jpeg_huffman.h"

namespace twinage {

struct JpegComponent {
  std::uint8_t id = 0, quantisation = 0;
  Index h = 1, v = 1;                  // blocks in an MCU
  Index blocks_x = 0, blocks_y = 0;    // that hold pixels
  Index padded_x = 0, padded_y = 0;    // of whole MCUs
  std::uint64_t begun = 0;             // coefficient k, in zigzag order, has been sent: bit k
  std::vector<std::uint64_t> nonzero;  // [padded_y][padded_x] the same of each block; progressive
};

struct JpegScanComponent {
  JpegComponent* component;
  const JpegHuffman *dc, *ac;
};

struct JpegScan {
  std::vector<JpegScanComponent> components;
  bool progressive = false, refines = false;
  unsigned first = 0, last = 63;  // coefficients, in zigzag order
  unsigned approximation = 0;     // the two numbers of successive approximation, as they stand
  Index mcus_x = 0, mcus_y = 0, restart_interval = 0;
};

struct JpegWalk {
  Index mcus = 0;        // so many are there
  bool damaged = false;  // what follows them makes no sense; otherwise it is missing
  std::size_t end = 0;   // where the scan's data end, when all are there
};

// Walks through the data of a scan that begin at `at`, and appends those that were used to `data`:
// without what some writers leave between them and the next marker, the restart markers in between.
JpegWalk walk_jpeg_scan(std::span<const std::byte> jpeg, std::size_t at, const JpegScan& scan,
                        std::vector<std::byte>& data);

}  // namespace twinage
