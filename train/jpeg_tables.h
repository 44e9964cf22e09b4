// A look at a JPEG before stb_image decodes it.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace twinage {

// What is wrong with the Huffman tables of a JPEG; nothing when they can be used. stb_image before
// version 2.28 (Debian 12 has an older one) writes beyond its tables when a file declares more than
// 256 codes, and decodes with whatever lies in memory when a scan names a table that was never
// declared (github.com/nothings/stb, issues 1289 and 1291). Other damage is left to stb_image.
std::optional<std::string> fault_of_jpeg_tables(std::span<const std::byte> jpeg);

}  // namespace twinage
