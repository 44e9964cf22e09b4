#include "core/content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace twinage {

std::uint64_t content_hash(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace twinage
