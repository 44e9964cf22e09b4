// JPEG pictures: see picture.h for what must hold.
#include <algorithm>

#include "tests/fuzz/picture.h"

using namespace twinage;
using namespace twinage::fuzz;

// Whatever looks like the header of a frame may become one: the largest counts.
TWINAGE_FUZZ_TARGET(jpeg, input) {
  Index width = 0, height = 0;
  for (std::size_t at = 0; at + 9 <= input.size(); ++at) {
    const Index marker = number_at(input, at, 2, true);
    if (marker < 0xFFC0 || marker > 0xFFCF) continue;
    height = std::max(height, number_at(input, at + 5, 2, true));
    width = std::max(width, number_at(input, at + 7, 2, true));
  }
  check_picture(input, width, height);
}
