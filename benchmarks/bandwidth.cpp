#include "benchmarks/bandwidth.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace twinage::bench {
namespace {

constexpr Index kOfCache = Index{32} << 10;   // floats of each of two arrays: 256 KB
constexpr Index kOfMemory = Index{24} << 20;  // 192 MB
constexpr Index kSlice = Index{512} << 10;    // floats of memory at a time
constexpr Index kPieces = 16;
constexpr double kLong = 5e-4;  // seconds: a hundred times what starting the threads takes

}  // namespace

Stream::Stream(From from, int threads, Clock clock)
    : floats_(from == From::cache ? kOfCache : kSlice),
      threads_(threads),
      passes_(from == From::cache ? 40 : 1),
      clock_(clock),
      to_(vector(from == From::cache ? kOfCache * threads : kOfMemory)),
      from_(vector(to_.size())) {
  from_.fill(1);
  to_.fill(1);
}

// Every thread has the same piece of the arrays in each pass: that is what its own cache holds.
double Stream::bytes_per_second() {
  const bool cached = passes_ > 1;
  const Index size = cached ? floats_ : floats_ / kPieces;
  const Index pieces = cached ? threads_ : kPieces;
  const double start = seconds(clock_);
  parallel_for(threads_, pieces, [&](Index piece, int) {
    float* t = to_.data() + at_ + piece * size;
    const float* f = from_.data() + at_ + piece * size;
    for (int pass = 0; pass < passes_; ++pass) {
      for (Index i = 0; i < size; ++i) t[i] += f[i];
      asm volatile("" ::: "memory");
    }
  });
  const double time = seconds(clock_) - start;
  if (!cached) at_ = (at_ + floats_) % (to_.size() - floats_);
  return 3.0 * sizeof(float) * static_cast<double>(size * pieces * passes_) / time;
}

Moved measure_moved(const Options& options, Stream& stream, double bytes,
                    const std::function<void()>& call) {
  for (int i = 0; i < 2; ++i) call();
  const double start = seconds();
  call();
  const int calls = std::max(1, static_cast<int>(kLong / std::max(seconds() - start, 1e-9)));
  std::vector<double> times, shares;
  for (int i = 0; i < options.repetitions; ++i) {
    const double before = stream.bytes_per_second();
    const double began = seconds(options.clock);
    for (int c = 0; c < calls; ++c) call();
    const double time = (seconds(options.clock) - began) / calls;
    times.push_back(time);
    shares.push_back(bytes / time / std::max(before, stream.bytes_per_second()));
  }
  const double time = median(times);
  return {time * 1e6, bytes / time * 1e-9, median(shares)};
}

}  // namespace twinage::bench
