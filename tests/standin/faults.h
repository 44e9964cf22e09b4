// What the tests of the stand-in share: its faults as text, and memory to make them with.
#pragma once
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/array.h"
#include "core/context.h"
#include "core/cuda_stream.h"
#include "core/error.h"
#include "core/tensor.h"
#include "kernels/standin/standin.h"

namespace twinage::test {

// Collects the lines of faults, which end the process otherwise.
class Faults {
 public:
  Faults() {
    standin::on_fault([this](const std::string& line) { lines_.push_back(line); });
  }
  ~Faults() { standin::on_fault(nullptr); }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // The first line since the last call; empty: there was none.
  std::string first() {
    const std::string line = lines_.empty() ? "" : lines_.front();
    lines_.clear();
    return line;
  }

 private:
  std::vector<std::string> lines_;
};

// The options are as they were when this goes out of scope.
class WithOptions {
 public:
  WithOptions(standin::When when, std::uint64_t seed = 1) : before_(standin::options()) {
    standin::options().when = when;
    standin::options().seed = seed;
  }
  ~WithOptions() { standin::options() = before_; }
  WithOptions(const WithOptions&) = delete;
  WithOptions& operator=(const WithOptions&) = delete;

 private:
  standin::Options before_;
};

inline Context on(const CudaStream& stream) {
  Context ctx;
  ctx.device = Device::cuda;
  ctx.stream = stream.handle();
  return ctx;
}

inline Tensor on_gpu(Index count) {
  return Tensor(vector(count), Device::cuda);
}

inline bool says(const std::string& line, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    if (line.find(part) == std::string::npos) {
      MESSAGE("expected '", part, "' in: ", line);
      return false;
    }
  return true;
}

}  // namespace twinage::test
