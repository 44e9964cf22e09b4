// Measuring what moves bytes rather than multiplies: beside what the machine moves at most, from
// the second-level cache and from memory.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "benchmarks/measure.h"

namespace twinage::bench {

enum class From { cache, memory };

// y += x over arrays that lie in the second-level cache, or that together are much larger than all
// caches: what a simple loop moves on this machine, of which two thirds are read.
class Stream {
 public:
  Stream(From from, int threads, Clock clock = Clock::wall);

  double bytes_per_second();  // measured anew, in about half a millisecond

 private:
  Index floats_, at_ = 0;
  int threads_, passes_;
  Clock clock_;
  Tensor to_, from_;
};

// A tensor as a call finds it: of `cache` always the same one, of `memory` each time the next of
// copies that are larger than the caches.
class Operand {
 public:
  Operand(From from, Shape shape, std::uint64_t seed)
      : data_(std::make_shared<Rotation>(shape, seed, from == From::cache ? 1 : 64)) {}
  View next() const { return data_->next(); }

 private:
  std::shared_ptr<Rotation> data_;
};

struct Moved {
  double microseconds = 0;  // of one call
  double gbytes = 0;        // per second
  double share = 0;         // of the stream measured beside each repetition
};

// The medians over options.repetitions; each repeats the call for about half a millisecond.
// `bytes`: what one call reads and writes, each pass over a tensor counted.
Moved measure_moved(const Options& options, Stream& stream, double bytes,
                    const std::function<void()>& call);

}  // namespace twinage::bench
