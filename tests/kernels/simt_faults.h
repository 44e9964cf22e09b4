// Kernels with one planted fault each, and their correct twins.
#pragma once
#include <span>
#include <string>

#include "core/context.h"

namespace twinage::test {

inline constexpr Index kPlantedCount = 512;  // floats in x and y; two blocks of 256 threads

struct Planted {
  const char* name;  // also marks the lines: "// fault: missing barrier" stands at those that clash
  // Writes y from x, both of kPlantedCount floats.
  void (*run)(const Context& ctx, bool faulty, float* y, const float* x);
  float (*expected)(const float* x, Index i);  // y[i] of the correct twin
  const char* checked;                         // what the message says in the build with checks
  const char* plain;  // and in the others; "": no message, but wrong values; null: nothing shows
  bool ends_in_asan = false;  // the build with AddressSanitizer ends the process with a report
};

std::span<const Planted> planted_faults();
std::string planted_source();  // the file that they are in

}  // namespace twinage::test
