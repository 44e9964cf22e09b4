// The main program of every test executable.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/isa.h"

int main(int argc, char** argv) {
  try {
    std::printf("instruction set: %s\n", twinage::to_string(twinage::isa()).c_str());
  } catch (const twinage::UsageError& error) {
    std::printf("SKIPPED, nothing was tested: %s\n", error.what());
    return 77;  // ctest reports "Skipped", not "Passed"
  }
  return doctest::Context(argc, argv).run();
}
