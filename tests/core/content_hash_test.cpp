#include "core/content_hash.h"

#include <string_view>

#include <doctest/doctest.h>

namespace twinage {
namespace {

std::uint64_t hash_of(std::string_view text) {
  return content_hash(std::as_bytes(std::span(text.data(), text.size())));
}

TEST_CASE("a content's hash is XXH3's published one, so that files agree between machines") {
  CHECK(hash_of("") == 0x2D06800538D394C2);  // xxHash's specification: XXH3_64bits of no bytes
}

TEST_CASE("one changed, added or moved byte changes the hash of a content") {
  CHECK(hash_of("face") == hash_of("face"));
  CHECK(hash_of("face") != hash_of("fact"));
  CHECK(hash_of("face") != hash_of("face "));
  CHECK(hash_of("face") != hash_of("aface"));
}

}  // namespace
}  // namespace twinage
