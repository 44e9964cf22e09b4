// BMP pictures: see picture.h for what must hold.
#include <cstdlib>

#include "tests/fuzz/picture.h"

using namespace twinage;
using namespace twinage::fuzz;

// Two layouts: 16-bit extents behind a header of 12 bytes, otherwise 32-bit ones with a sign.
TWINAGE_FUZZ_TARGET(bmp, input) {
  const bool old = number_at(input, 14, 4, false) == 12;
  const auto extent = [&](std::size_t at) {
    return std::abs(static_cast<Index>(static_cast<std::int32_t>(number_at(input, at, 4, false))));
  };
  check_picture(input, old ? number_at(input, 18, 2, false) : extent(18),
                old ? number_at(input, 20, 2, false) : extent(22));
}
