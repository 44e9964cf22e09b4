// 64 bits that stand for a file's or a tensor's content, to tell whether two are the same.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace twinage {

// XXH3 of the bytes (https://xxhash.com): the same on every machine. Among a million different
// contents two share a hash with a probability of 3e-8. It is no protection against somebody who
// wants two contents to agree.
std::uint64_t content_hash(std::span<const std::byte> bytes);

}  // namespace twinage
