#pragma once
#include <cstddef>

namespace twinage {

// So many pictures are read together: as many as the network takes at once.
inline constexpr std::size_t kPicturesTogether = 64;

}  // namespace twinage
