// A training step of a preset's network, taken apart into calls of operations, each of which can be
// measured alone.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/bandwidth.h"
#include "benchmarks/whole_step.h"

namespace twinage::bench {

struct Part {
  std::string kind, what;  // "batch norm backward", "64 x 15 x 15 x 48"
  int count = 1;           // how often a step does it
  double flops = 0;        // of one call
  double bytes = 0;        // that it has to read and write, each operand of a pass once
  // Takes its operands and returns the call.
  std::function<std::function<void()>(const Context&)> make;
  double microseconds = 0, flops_share = 0,
         bytes_share = 0;  // measured; of the peak and the stream
};

// Operands come from memory, as after the rest of the step. What has no cost worth a line (concat,
// chain) has none. Throws Error for a kind of layer that it does not know.
std::vector<Part> parts_of(WholeStep& whole);

}  // namespace twinage::bench
