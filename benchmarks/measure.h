// Measuring: the machine's peaks, a call's time beside them, and tables of results.
//
// Other work on the machine disturbs every measurement. So each repetition of a call is timed
// right after a measurement of the peak, and the share of the peak is the median over repetitions
// of each one's own share. Where even that is too noisy, --cpu-time leaves out the time in which
// other processes had the processor (one thread only).
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/tensor.h"

namespace twinage::bench {

enum class Clock { wall, cpu };  // cpu: of the calling thread

double seconds(Clock clock = Clock::wall);

// Multiply-adds on registers, on that many threads at once, in about a millisecond: FLOP/s. Of bf16
// with operands of that kind, else of float32.
double peak_flops(int threads, Clock clock = Clock::wall, Math math = Math::fp32);

double median(std::vector<double> values);  // of at least one

struct Options {
  int threads = 1;
  int repetitions = 15;
  std::string filter;  // a part of a case's name
  std::string set = "v3";
  bool json = false;
  bool vendor = true;
  Clock clock = Clock::wall;
  Math math = Math::fp32;  // of our code and of the peak beside it; bf16: without the vendor
};

struct Timing {
  double median_ms = 0;
  double spread = 0;  // (90th - 10th percentile) / median
  double share = 0;   // of the peak, for the given FLOPs
};

// Times options.repetitions calls after two that are not timed.
Timing measure(const Options& options, double flops, const std::function<void()>& call);

// Copies of one tensor that together are larger than the last-level cache: a call that takes the
// next one every time finds it in memory, as after the rest of a training step.
class Rotation {
 public:
  // Uniform in [-1, 1); at most so many copies.
  Rotation(Shape shape, std::uint64_t seed, Index most = 64);

  View next() { return copies_[turn_++ % copies_.size()].view(); }
  View first() { return copies_.front().view(); }

 private:
  std::vector<Tensor> copies_;
  std::size_t turn_ = 0;
};

// Reads the command line; exits after --help or an error.
Options parse_options(int argc, char** argv, const std::string& description,
                      const std::vector<std::string>& sets);

// One line of results, and their sum weighted by FLOPs.
class Report {
 public:
  Report(const Options& options, const std::string& vendor);
  ~Report();  // prints the weighted totals

  // `weight`: how often the case occurs in the network.
  void add(const std::string& pass, const std::string& name, double flops, double bytes,
           const Timing& ours, const Timing& vendor, int weight);

 private:
  struct Total {
    std::string pass;
    double flops = 0, ours = 0, vendor = 0;  // time: FLOPs / share
    double ours_ms = 0;
  };
  Options options_;
  std::string vendor_;
  std::vector<Total> totals_;
};

// Exits with status 1 and a message when a result is wrong by more than rounding can explain.
void require_close(const std::string& what, ConstView got, ConstView want, double tolerance);

}  // namespace twinage::bench
