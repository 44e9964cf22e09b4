// Memory that was never written to holds, for a test, what the test says; and how much of it there
// was at most.
#pragma once
#include <cstddef>
#include <cstdint>

namespace twinage::fuzz {

// While one exists, what malloc and new return is filled with `byte`, and so is the stack below.
// Under AddressSanitizer by its hooks, which also count; with glibc alone by M_PERTURB, which
// leaves out blocks of less than about 1 KB that were used before.
class FreshMemory {
 public:
  explicit FreshMemory(std::uint8_t byte);
  ~FreshMemory();
  FreshMemory(const FreshMemory&) = delete;
  FreshMemory& operator=(const FreshMemory&) = delete;

  // The most bytes that were held at once since construction; 0 where nothing counts them.
  std::size_t peak() const;
};

}  // namespace twinage::fuzz
