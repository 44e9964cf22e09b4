// A whole training step of a preset's network, as the trainer makes it, its parts, and inference:
// images per second, share of the measured peak, memory.
#include <cstdio>
#include <functional>

#include <sys/resource.h>

#include "benchmarks/measure.h"
#include "benchmarks/step_options.h"
#include "benchmarks/whole_step.h"
#include "core/error.h"
#include "core/isa.h"
#include "core/parallel.h"

using namespace twinage;

namespace {

struct Options : bench::StepOptions {
  Math math = Math::fp32;
  bool train = true, infer = true;
};

double megabytes(double bytes) {
  return bytes / 1e6;
}

double peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;  // Linux counts KiB
}

void print(const char* what, double flops, const bench::Timing& timing, Index batch) {
  std::printf("  %-10s %10.1f ms", what, timing.median_ms);
  if (flops > 0)
    std::printf("  %9.2f images/s  %8.1f GFLOP/s  %5.1f %% of peak",
                1e3 * static_cast<double>(batch) / timing.median_ms, flops / timing.median_ms / 1e6,
                100 * timing.share);
  std::printf("\n");
}

using Time = std::function<void(const char* what, double flops, const std::function<void()>& call)>;

// A training step and its parts.
void time_training(const EngineOptions& engine, const Options& options, const Time& time) {
  bench::WholeStep whole(engine, options.preset, options.batch);
  const Context& ctx = whole.engine.context();
  TwinNetwork& network = whole.network;
  const double flops = network.flops();
  // The images need no gradient, so that a step is a little less than three times forward's cost;
  // it is counted as three times, as usual.
  time("train", 3 * flops, [&] { whole.train(); });
  const double resident = peak_resident_bytes();
  // And its parts.
  FaceInput input(whole.engine, options.batch, network.preset().load, network.preset().input);
  input.send(whole.batch.pixels, whole.batch.variations);
  input.receive();
  time("images", 0, [&] { input.normalize(); });
  const ConstView images = input.images();
  TwinNetwork::Outputs outputs;
  time("forward", flops, [&] { outputs = network.forward(ctx, images, Mode::train); });
  time("loss", 0, [&] { whole.objective.compute(ctx, outputs); });
  // A backward pass uses up what its forward pass has kept.
  time("both", 3 * flops, [&] {
    network.zero_gradients(ctx);
    network.forward(ctx, images, Mode::train);
    network.backward(ctx, images, whole.objective.gradients());
  });
  time("ADADELTA", 0, [&] { whole.optimizer.step(ctx, bench::WholeStep::kFactor); });
  std::printf(
      "  memory     %10.1f MB workspace, %.1f MB of it kept for backward, %.1f MB resident at "
      "most\n",
      megabytes(static_cast<double>(whole.engine.workspace_bytes())),
      megabytes(4.0 * static_cast<double>(network.kept())), megabytes(resident));
}

// As faces are read: many forward passes with the same weights.
void time_inference(const EngineOptions& engine_options, const Options& options, const Time& time) {
  Engine engine(engine_options);
  TwinNetwork network = bench::initialized(preset(options.preset));
  const Batch batch = bench::batch_of_noise(network.preset(), options.batch);
  FaceInput input(engine, options.batch, network.preset().load, network.preset().input);
  input.send(batch.pixels, batch.variations);
  input.receive();
  input.normalize();
  const ConstView images = input.images();
  engine.plan(network, options.batch, Mode::eval);
  network.prepare(engine.context());
  time("infer", network.flops(), [&] { network.forward(engine.context(), images, Mode::eval); });
  std::printf("  memory     %10.1f MB workspace\n",
              megabytes(4.0 * static_cast<double>(network.workspace())));
}

void run(const Options& options) {
  const EngineOptions engine{
      .device = {}, .threads = options.measure.threads, .math = options.math};
  const Time time = [&](const char* what, double flops, const std::function<void()>& call) {
    print(what, flops, bench::measure(options.measure, flops, call), options.batch);
  };
  std::printf("%s, batch %lld, %d threads, %s, %s\n", options.preset.c_str(),
              static_cast<long long>(options.batch), options.measure.threads,
              to_string(isa()).c_str(), to_string(options.math).c_str());
  if (options.train) time_training(engine, options, time);
  if (options.infer) time_inference(engine, options, time);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.preset = "v3";
  options.batch = 8;
  options.measure.threads = hardware_threads();
  options.measure.repetitions = 5;
  CLI::App app("Times a training step and inference of a preset's network");
  options.add_to(app);
  std::string math = "fp32";
  app.add_option("--math", math, "fp32 or bf16; shares are of fp32's peak")->capture_default_str();
  std::string only;
  app.add_option("--only", only, "train or infer; without it both")
      ->check(CLI::IsMember({"train", "infer"}));
  return bench::run_benchmark(app, argc, argv, options, [&] {
    options.math = parse<Math>(math);
    options.train = only != "infer";
    options.infer = only != "train";
    run(options);
  });
}
