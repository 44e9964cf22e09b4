// The command line of benchmarks of a whole step of a preset's network.
#pragma once
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "benchmarks/measure.h"
#include "core/error.h"
#include "layers/backbones/backbone.h"

namespace twinage::bench {

struct StepOptions {
  std::string preset = "tiny";
  Index batch = 64;
  Options measure;
  bool cpu_time = false;

  void add_to(CLI::App& app) {
    app.add_option("--preset", preset, preset_choices())->capture_default_str();
    app.add_option("--batch", batch, "faces")->capture_default_str();
    app.add_option("--threads", measure.threads)->capture_default_str();
    app.add_option("--runs", measure.repetitions, "repetitions; the median counts")
        ->capture_default_str();
    app.add_flag("--cpu-time", cpu_time,
                 "processor time instead of wall time, for a busy machine; one thread only");
  }
};

// Reads the command line and calls f(); the exit code.
template <class F>
int run_benchmark(CLI::App& app, int argc, char** argv, StepOptions& options, F f) {
  CLI11_PARSE(app, argc, argv);
  try {
    require(!options.cpu_time || options.measure.threads == 1,
            "[benchmark] expected --threads 1 with --cpu-time");
    if (options.cpu_time) options.measure.clock = Clock::cpu;
    f();
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace twinage::bench
