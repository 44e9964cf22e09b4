#include "benchmarks/measure.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "benchmarks/bandwidth.h"
#include "benchmarks/peak.h"
#include "core/error.h"
#include "core/isa.h"
#include "core/parallel.h"
#include "core/random.h"

namespace twinage {
namespace baseline {
extern const PeakLoop peak_loop, bf16_peak_loop;
}
namespace avx2 {
extern const PeakLoop peak_loop, bf16_peak_loop;
}
namespace avx512 {
extern const PeakLoop peak_loop, bf16_peak_loop;
}
namespace avx512_bf16 {
extern const PeakLoop bf16_peak_loop;
}
}  // namespace twinage

namespace twinage::bench {
namespace {

constexpr Index kBeyondCaches = Index{24} << 20;  // floats: 96 MB

double percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1) + 0.5)];
}

const PeakLoop& loop_of(Math math) {
  if (math != Math::bf16) return pick_isa(baseline::peak_loop, avx2::peak_loop, avx512::peak_loop);
  if (multiplies_bf16()) return avx512_bf16::bf16_peak_loop;
  return pick_isa(baseline::bf16_peak_loop, avx2::bf16_peak_loop, avx512::bf16_peak_loop);
}

}  // namespace

double seconds(Clock clock) {
  timespec now{};
  clock_gettime(clock == Clock::cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double peak_flops(int threads, Clock clock, Math math) {
  const PeakLoop& loop = loop_of(math);
  constexpr long kRounds = 60'000;
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<float> sink(static_cast<std::size_t>(threads));
  // Every thread reports its own rate: starting the threads is no part of the peak.
  parallel_for(threads, threads, [&](Index task, int) {
    const auto i = static_cast<std::size_t>(task);
    const double start = seconds(clock);
    sink[i] = loop.run(kRounds);
    rates[i] = loop.flops_per_round * kRounds / (seconds(clock) - start);
  });
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

double median(std::vector<double> values) {
  return percentile(std::move(values), 0.5);
}

Timing measure(const Options& options, double flops, const std::function<void()>& call) {
  std::vector<double> times, shares;
  for (int i = -2; i < options.repetitions; ++i) {
    const double peak = peak_flops(options.threads, options.clock, options.math);
    const double start = seconds(options.clock);
    call();
    const double time = seconds(options.clock) - start;
    if (i < 0) continue;
    times.push_back(time);
    shares.push_back(flops / time / peak);
  }
  const double middle = median(times);
  return {middle * 1e3, (percentile(times, 0.9) - percentile(times, 0.1)) / middle, median(shares)};
}

Rotation::Rotation(Shape shape, std::uint64_t seed, Index most) {
  const Index count =
      std::clamp<Index>(kBeyondCaches / 2 / std::max<Index>(1, shape.size()), 1, most);
  Random random(seed);
  for (Index i = 0; i < count; ++i) {
    Tensor& copy = copies_.emplace_back(shape);
    if (i > 0) {
      copy.copy_from(copies_.front());
      continue;
    }
    for (Index j = 0; j < shape.size(); ++j)
      copy.data()[j] = static_cast<float>(random.uniform(-1, 1));
  }
}

Options parse_options(int argc, char** argv, const std::string& description,
                      const std::vector<std::string>& sets) {
  Options options;
  CLI::App app(description);
  app.add_option("--set", options.set, "layers to measure")
      ->check(CLI::IsMember(sets))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--repetitions", options.repetitions, "timed calls of each case")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--filter", options.filter, "only cases whose name contains this");
  app.add_flag("--json", options.json, "one JSON object a line");
  std::string math = "fp32";
  app.add_option("--math", math, "of convolutions: fp32 or bf16, measured beside bf16's peak")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  app.add_flag("!--no-vendor", options.vendor, "measure our code only");
  bool cpu_time = false;
  app.add_flag("--cpu-time", cpu_time, "processor time instead of wall time, for a busy machine");
  try {
    app.parse(argc, argv);
    if (cpu_time && options.threads > 1)
      throw CLI::ValidationError("--cpu-time", "measures one thread only");
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  if (cpu_time) options.clock = Clock::cpu;
  options.math = parse<Math>(math);
  if (options.math == Math::bf16) options.vendor = false;
  return options;
}

Report::Report(const Options& options, const std::string& vendor)
    : options_(options), vendor_(vendor) {
  if (options.json) return;
  Stream memory(From::memory, options.threads);
  fmt::print(
      "{} threads, {}: {:.1f} GFLOP/s, {:.1f} GB/s; peak: share of the FLOP/s measured beside each "
      "call\n",
      options.threads, to_string(isa()),
      peak_flops(options.threads, Clock::wall, options.math) * 1e-9,
      memory.bytes_per_second() * 1e-9);
  fmt::print("{:15} {:34} {:>9} {:>7} {:>8} {:>6} {:>5}   {:>9} {:>5} {:>6}\n", "", "", "ms",
             "spread", "GFLOP/s", "GB/s", "peak", vendor, "peak", "ratio");
}

void Report::add(const std::string& pass, const std::string& name, double flops, double bytes,
                 const Timing& ours, const Timing& vendor, int weight) {
  const double gflops = flops / ours.median_ms * 1e-6, gbytes = bytes / ours.median_ms * 1e-6;
  const double ratio = vendor.share > 0 ? ours.share / vendor.share : 0;
  if (options_.json) {
    fmt::print("{}\n", nlohmann::json{{"pass", pass},
                                      {"case", name},
                                      {"weight", weight},
                                      {"threads", options_.threads},
                                      {"isa", to_string(isa())},
                                      {"ms", ours.median_ms},
                                      {"spread", ours.spread},
                                      {"gflops", gflops},
                                      {"gbytes", gbytes},
                                      {"peak_share", ours.share},
                                      {"vendor", vendor_},
                                      {"vendor_ms", vendor.median_ms},
                                      {"vendor_peak_share", vendor.share}}
                           .dump());
  } else {
    fmt::print("{:15} {:34} {:9.3f} {:6.0f}% {:8.1f} {:6.1f} {:5.2f}", pass, name, ours.median_ms,
               ours.spread * 100, gflops, gbytes, ours.share);
    if (ratio > 0) fmt::print("   {:9.3f} {:5.2f} {:6.2f}", vendor.median_ms, vendor.share, ratio);
    fmt::print("\n");
  }
  std::fflush(stdout);
  auto total =
      std::find_if(totals_.begin(), totals_.end(), [&](const Total& t) { return t.pass == pass; });
  if (total == totals_.end()) total = totals_.insert(totals_.end(), {pass});
  total->flops += flops * weight;
  total->ours += flops * weight / ours.share;
  total->ours_ms += ours.median_ms * weight;
  if (ratio > 0) total->vendor += flops * weight / vendor.share;
}

Report::~Report() {
  for (const Total& total : totals_) {
    const double vendor = total.vendor > 0 ? total.flops / total.vendor : 0;
    if (options_.json)
      fmt::print("{}\n", nlohmann::json{{"pass", total.pass},
                                        {"case", "all, weighted by FLOPs"},
                                        {"ms", total.ours_ms},
                                        {"peak_share", total.flops / total.ours},
                                        {"vendor_peak_share", vendor}}
                             .dump());
    else
      fmt::print(
          "{:15} all, weighted by FLOPs: {:.2f} GFLOP, {:.2f} ms, {:.3f} of the peak; {}: {:.3f}\n",
          total.pass, total.flops * 1e-9, total.ours_ms, total.flops / total.ours, vendor_, vendor);
  }
}

void require_close(const std::string& what, ConstView got, ConstView want, double tolerance) {
  double error = 0, magnitude = 1;
  for (Index i = 0; i < want.shape.size(); ++i) {
    error = std::max(error, std::fabs(static_cast<double>(got.data[i]) - want.data[i]));
    magnitude = std::max(magnitude, std::fabs(static_cast<double>(want.data[i])));
    if (std::isnan(got.data[i])) error = INFINITY;
  }
  if (error <= tolerance * magnitude) return;
  fmt::print(stderr, "[benchmark] {}: expected an error of at most {:.1e}, got {:.1e}\n", what,
             tolerance * magnitude, error);
  std::exit(1);
}

}  // namespace twinage::bench
