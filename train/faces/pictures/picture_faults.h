// What can be wrong with a picture, in words; and whether it has a format that is read.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/shape.h"

namespace twinage {

enum class PictureFormat { kJpeg, kPng, kBmp };

// By the file's first bytes, whatever its name says. Throws ImageError for anything else, with the
// name of the format where it is known.
PictureFormat format_of_picture(std::span<const std::byte> bytes, const std::string& name);

// They throw ImageError; `name` is the file's.
// `share` of the picture, 0 to 1, is there.
[[noreturn]] void fail_as_cut_off(const std::string& name, double share);
[[noreturn]] void fail_as_damaged(const std::string& name, std::string_view what);
// `what` stands before "is not supported".
[[noreturn]] void fail_as_unsupported(const std::string& name, std::string_view what);

// Throws ImageError unless a picture of this size has pixels, and no more than kMaxImagePixels.
// Called with what a header says, before anything is allocated.
void check_picture_size(Index width, Index height, const std::string& name);

}  // namespace twinage
