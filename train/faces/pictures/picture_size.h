// How large a picture is, by its header alone: for a look at thousands of files.
#pragma once
#include <cstddef>
#include <optional>
#include <span>

#include "core/shape.h"

namespace twinage {

struct PictureSize {
  Index width = 0, height = 0;  // pixels
  bool operator==(const PictureSize&) const = default;
};

// As read_image gives the picture: upright, where its Exif data say how the camera was held.
// Nothing for a file whose header says no size, or that is no JPEG, PNG or BMP. A size is no proof
// that the picture's rows are there.
std::optional<PictureSize> picture_size(std::span<const std::byte> picture);

}  // namespace twinage
