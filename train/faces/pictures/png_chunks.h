// A PNG file is a signature of 8 bytes and a row of chunks (PNG specification, chapter 5).
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace twinage {

std::uint32_t png_number(std::span<const std::byte> four_bytes);  // most significant byte first

// Calls visit(type, content) for every chunk before IEND, in the order of the file, until visit
// returns false. The content of the last one may be cut off. Checksums are not looked at.
using PngVisitor = std::function<bool(std::string_view type, std::span<const std::byte> content)>;
void visit_png_chunks(std::span<const std::byte> png, const PngVisitor& visit);

}  // namespace twinage
