// What tests of the runner of CUDA kernels on the host have in common.
#pragma once
#include <cstdint>
#include <vector>

#include "core/array.h"
#include "core/random.h"
#include "kernels/simt/runner.h"

namespace twinage::test {

// Device simt, whatever device the other tests run on.
struct SimtContext {
  explicit SimtContext(int threads = 2, Index floats = 0) : workspace(floats, Device::simt) {
    context.device = Device::simt;
    context.threads = threads;
    context.workspace = &workspace;
  }
  operator const Context&() const { return context; }

  Workspace workspace;
  Context context;
};

template <class T>
Array<T> on_device(const std::vector<T>& values) {
  Array<T> array(values.size(), Device::simt);
  array.copy_from(values);
  return array;
}

template <class T>
std::vector<T> on_host(const Array<T>& array) {
  std::vector<T> values(array.size());
  array.copy_to(values);
  return values;
}

inline std::vector<float> random_floats(std::size_t count, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& v : values) v = static_cast<float>(random.uniform(-1, 1));
  return values;
}

// Sets the runner's options for the time of a test.
class WithOptions {
 public:
  explicit WithOptions(gpu::Options options) : before_(gpu::options()) { gpu::options() = options; }
  ~WithOptions() { gpu::options() = before_; }
  WithOptions(const WithOptions&) = delete;
  WithOptions& operator=(const WithOptions&) = delete;

 private:
  gpu::Options before_;
};

// Every correct kernel passes for all of them, with the same bits.
inline const std::vector<gpu::Options> kAllOptions = {
    {},
    {gpu::Order::reversed, 1, true},
    {gpu::Order::shuffled, 1, false},
    {gpu::Order::shuffled, 2, true},
};

}  // namespace twinage::test
