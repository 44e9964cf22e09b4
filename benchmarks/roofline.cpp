// A training step taken apart: what each convolution pass and each other operation takes, what
// share of the processor's peak and of its bandwidth that is, and where each stands under the roof
// (Williams, Waterman & Patterson 2009): nothing computes more than the peak, and nothing that
// reads and writes so many bytes for an operation more than the bandwidth lets it.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/core.h>

#include "benchmarks/step_options.h"
#include "benchmarks/step_parts.h"
#include "core/error.h"
#include "core/files.h"
#include "core/isa.h"
#include "core/parallel.h"
#include "tools/charts/axes.h"

using namespace twinage;
using bench::Part;

namespace {

struct Options : bench::StepOptions {
  std::string svg;
};

struct Measured {
  std::vector<Part> parts;
  double step_ms = 0, step_share = 0;
  double peak = 0, bandwidth = 0;  // per second
};

Measured measured(const Options& options) {
  bench::WholeStep whole({.device = {}, .threads = options.measure.threads}, options.preset,
                         options.batch);
  const Context& ctx = whole.engine.context();
  bench::Stream stream(bench::From::memory, options.measure.threads, options.measure.clock);
  Measured m;
  bench::Options of_step = options.measure;
  of_step.repetitions = 2 * options.measure.repetitions + 1;
  const bench::Timing step =
      bench::measure(of_step, 3 * whole.network.flops(), [&] { whole.train(); });
  m.step_ms = step.median_ms;
  m.step_share = step.share;
  m.parts = bench::parts_of(whole);
  std::vector<double> peaks, bandwidths;
  for (Part& part : m.parts) {
    const auto call = part.make(ctx);
    peaks.push_back(bench::peak_flops(ctx.threads, options.measure.clock));
    bandwidths.push_back(stream.bytes_per_second());
    const bench::Moved moved = bench::measure_moved(options.measure, stream, part.bytes, call);
    part.microseconds = moved.microseconds;
    part.bytes_share = moved.share;
    part.flops_share = part.flops / moved.microseconds * 1e6 / peaks.back();
  }
  m.peak = bench::median(peaks);
  m.bandwidth = bench::median(bandwidths);
  return m;
}

// Sums of all parts of a kind.
struct Kind {
  std::string name;
  int calls = 0;
  double ms = 0, gflop = 0, gbyte = 0, at_peak = 0, at_bandwidth = 0;
};

std::vector<Kind> kinds_of(const Measured& m) {
  std::vector<Kind> kinds;
  for (const Part& part : m.parts) {
    auto kind =
        std::ranges::find_if(kinds, [&](const Kind& known) { return known.name == part.kind; });
    if (kind == kinds.end()) kind = kinds.insert(kinds.end(), Kind{.name = part.kind});
    const double ms = part.count * part.microseconds * 1e-3;
    kind->calls += part.count;
    kind->ms += ms;
    kind->gflop += part.count * part.flops * 1e-9;
    kind->gbyte += part.count * part.bytes * 1e-9;
    kind->at_peak += ms * part.flops_share;
    kind->at_bandwidth += ms * part.bytes_share;
  }
  std::ranges::sort(kinds, std::greater(), &Kind::ms);
  return kinds;
}

void print(const Options& options, const Measured& m) {
  fmt::print(
      "{}, batch {}, {} threads, {}: a step takes {:.1f} ms, {:.2f} of the peak ({:.0f} GFLOP/s); "
      "y += x moves {:.1f} GB/s\n",
      options.preset, options.batch, options.measure.threads, to_string(isa()), m.step_ms,
      m.step_share, m.peak * 1e-9, m.bandwidth * 1e-9);
  fmt::print("{:<29} {:>5} {:>8} {:>6} {:>7} {:>7} {:>6} {:>5}\n", "", "calls", "ms", "share",
             "GFLOP", "GB", "of pk.", "of bw");
  const std::vector<Kind> kinds = kinds_of(m);
  double sum = 0, convolution = 0;
  for (const Kind& kind : kinds) {
    sum += kind.ms;
    if (kind.name.starts_with("convolution")) convolution += kind.ms;
  }
  for (const Kind& kind : kinds)
    fmt::print("{:<29} {:>5} {:>8.2f} {:>5.1f}% {:>7.3f} {:>7.4f} {:>6.2f} {:>5.2f}\n", kind.name,
               kind.calls, kind.ms, 100 * kind.ms / sum, kind.gflop, kind.gbyte,
               kind.at_peak / kind.ms, kind.at_bandwidth / kind.ms);
  fmt::print("{:<29} {:>5} {:>8.2f} {:>5.1f}%   (the step itself: {:.2f} ms)\n", "sum", "", sum,
             100.0, m.step_ms);
  fmt::print("{:<29} {:>5} {:>8.2f} {:>5.1f}%\n", "not convolution", "", sum - convolution,
             100 * (1 - convolution / sum));
}

// Colours and markers of the picture: the three passes, and all others by what they are.
constexpr const char* kGroups[] = {"convolution forward", "convolution data gradient",
                                   "convolution filter gradient",
                                   "batch norm, forward and backward", "everything else"};
std::size_t group_of(const Part& part) {
  for (std::size_t i = 0; i < 3; ++i)
    if (part.kind == kGroups[i]) return i;
  return part.kind.starts_with("batch norm") ? 3 : 4;
}

double intensity(const Part& part) {
  return part.flops / part.bytes;
}

std::string picture(const Options& options, const Measured& m) {
  constexpr double kTop = 64, kBottom = 420, kLeft = 72, kRight = 520;
  constexpr double kOps[] = {0.125, 256}, kRates[] = {0.5, 512};  // FLOP/byte, GFLOP/s
  const Scale x{kOps[0], kOps[1], kLeft, kRight, true};
  const Scale y{kRates[0], kRates[1], kBottom, kTop, true};
  const double peak = m.peak * 1e-9, bandwidth = m.bandwidth * 1e-9;
  const std::string title = fmt::format("A training step of {} under the roof", options.preset);
  const std::string of_what = fmt::format(
      "batch {}, {} {}, {}: each point is an operation at one size, its area its time in a step",
      options.batch, options.measure.threads, options.measure.threads == 1 ? "thread" : "threads",
      to_string(isa()));
  Svg svg(760, kBottom + 52, title, of_what);
  svg.text(16, 24, title, Anchor::start, 16, false, true);
  svg.text(16, 43, of_what);
  x_axis(svg, x, kTop, kBottom, "FLOP for each byte that has to be read or written");
  y_axis(svg, y, kLeft, kRight);
  svg.text(kLeft - 52, (kTop + kBottom) / 2, "GFLOP/s", Anchor::middle, 12, true);
  const double edge = peak / bandwidth;
  svg.path({{x.at(kOps[0]), y.at(bandwidth * kOps[0])}, {x.at(edge), y.at(peak)}}, kInk);
  svg.path({{x.at(edge), y.at(peak)}, {x.at(kOps[1]), y.at(peak)}}, kInk);
  svg.text(x.at(edge) + 4, y.at(peak) - 8, fmt::format("peak: {:.0f} GFLOP/s", peak));
  svg.text(kLeft + 8, y.at(bandwidth * 7 * kOps[0]), fmt::format("memory: {:.0f} GB/s", bandwidth));
  for (const Part& part : m.parts) {
    if (part.flops == 0) continue;
    const double rate = part.flops / part.microseconds * 1e-3;
    const double ms = part.count * part.microseconds * 1e-3;
    const double radius = std::clamp(14 * std::sqrt(ms / m.step_ms / 0.05), 2.0, 14.0);
    const std::size_t group = group_of(part);
    svg.marker(group, x.at(std::clamp(intensity(part), kOps[0], kOps[1])),
               y.at(std::clamp(rate, kRates[0], kRates[1])), radius, colour_of(group), 0.6);
  }
  for (std::size_t i = 0; i < std::size(kGroups); ++i) {
    const double at = kTop + 16 + 20 * static_cast<double>(i);
    svg.marker(i, kRight + 24, at, 5, colour_of(i));
    svg.text(kRight + 36, at + 4, kGroups[i]);
  }
  return svg.finish();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.measure.threads = hardware_threads();
  options.measure.repetitions = 5;
  CLI::App app("Takes a training step apart and measures each operation under the roof");
  options.add_to(app);
  app.add_option("--svg", options.svg, "write the picture to this file");
  return bench::run_benchmark(app, argc, argv, options, [&] {
    const Measured m = measured(options);
    print(options, m);
    if (!options.svg.empty()) write_file_atomically(options.svg, picture(options, m));
  });
}
