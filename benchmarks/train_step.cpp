// A whole training step of a preset's tower (forward, backward, ADADELTA over all
// parameters) and inference: images per second, share of the measured peak, memory. The loss is
// the mean of the features' squares, the simplest that gives every parameter a gradient.
#include <cstdio>
#include <functional>
#include <vector>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "benchmarks/measure.h"
#include "core/error.h"
#include "core/isa.h"
#include "core/parallel.h"
#include "core/random.h"
#include "kernels/adadelta/adadelta.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/backbones/backbone.h"
#include "layers/initialize.h"

using namespace twinage;

namespace {

struct Options {
  std::string preset = "v3";
  Index batch = 8;
  bench::Options measure;
};

double megabytes(double bytes) {
  return bytes / 1e6;
}

double peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;  // Linux counts KiB
}

class Step {
 public:
  explicit Step(const Options& options)
      : preset_(preset(options.preset)),
        net_(twinage::tower(preset_)),
        images_({options.batch, preset_.input, preset_.input, 3}),
        features_(matrix(options.batch, net_.channels)),
        dfeatures_(features_.shape()) {
    initialize(net_.layer->parameters(), 1);
    Random random(1);
    for (Index i = 0; i < images_.size(); ++i)
      images_.data()[i] = static_cast<float>(random.normal());
    for (const Parameter* p : net_.layer->parameters()) {
      if (!p->trained) continue;
      mean_square_gradients_.emplace_back(p->value.shape());
      mean_square_steps_.emplace_back(p->value.shape());
    }
    ctx_.threads = options.measure.threads;
  }

  void plan(Mode mode) {
    net_.layer->plan(ctx_, images_.shape(), mode);
    scratch_ = Workspace();  // the old one goes before the new one comes
    scratch_ = Workspace(net_.layer->workspace());
    ctx_.workspace = &scratch_;
  }

  void forward(Mode mode) {
    if (mode == Mode::train) net_.layer->begin_step(1, 0);
    net_.layer->forward(ctx_, features_.view(), images_.view(), mode);
  }
  void backward() {
    for (Parameter* p : net_.layer->parameters())
      if (p->trained) fill(ctx_, p->grad.view(), 0);
    const float scale = 2 / static_cast<float>(features_.size());
    for (Index i = 0; i < features_.size(); ++i) dfeatures_.data()[i] = scale * features_.data()[i];
    net_.layer->backward(ctx_, View(), dfeatures_.view(), images_.view(), features_.view(),
                         Write::overwrite);
  }
  void update() {
    std::size_t i = 0;
    for (Parameter* p : net_.layer->parameters()) {
      if (!p->trained) continue;
      adadelta(ctx_, p->value.data(), mean_square_gradients_[i].data(),
               mean_square_steps_[i].data(), p->grad.data(), p->value.size(), {}, 1);
      ++i;
    }
  }

  void require_finite() const {
    require(all_finite(ctx_, features_.view()), "[train_step] expected finite features");
  }
  const Layer& tower() const { return *net_.layer; }
  Index batch() const { return images_.shape().n; }

 private:
  Preset preset_;
  Stage net_;
  Tensor images_, features_, dfeatures_;
  std::vector<Tensor> mean_square_gradients_, mean_square_steps_;  // of trained parameters
  Workspace scratch_;
  Context ctx_;
};

void print(const char* what, double flops, const bench::Timing& timing, Index batch) {
  std::printf("  %-10s %10.1f ms", what, timing.median_ms);
  if (flops > 0)
    std::printf("  %9.2f images/s  %8.1f GFLOP/s  %5.1f %% of peak",
                1e3 * static_cast<double>(batch) / timing.median_ms, flops / timing.median_ms / 1e6,
                100 * timing.share);
  std::printf("\n");
}

void run(const Options& options) {
  Step step(options);
  const auto time = [&](const char* what, double flops, const std::function<void()>& call) {
    print(what, flops, bench::measure(options.measure, flops, call), step.batch());
  };
  std::printf("%s, batch %lld, %d threads, %s\n", options.preset.c_str(),
              static_cast<long long>(options.batch), options.measure.threads,
              to_string(isa()).c_str());

  step.plan(Mode::train);
  const double flops = step.tower().flops();
  // The images need no gradient, so that a step is a little less than three times forward's cost;
  // it is counted as three times, as usual.
  time("train", 3 * flops, [&] {
    step.forward(Mode::train);
    step.backward();
    step.update();
  });
  time("forward", flops, [&] { step.forward(Mode::train); });
  time("backward", 2 * flops, [&] { step.backward(); });
  time("ADADELTA", 0, [&] { step.update(); });
  step.require_finite();
  std::printf(
      "  memory     %10.1f MB kept for backward, %.1f MB scratch, %.1f MB resident at most\n",
      megabytes(static_cast<double>(step.tower().activation_bytes())),
      megabytes(4.0 * static_cast<double>(step.tower().workspace())),
      megabytes(peak_resident_bytes()));

  step.plan(Mode::eval);
  time("infer", flops, [&] { step.forward(Mode::eval); });
  step.require_finite();
  std::printf("  memory     %10.1f MB scratch\n",
              megabytes(4.0 * static_cast<double>(step.tower().workspace())));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.measure.threads = hardware_threads();
  options.measure.repetitions = 5;
  CLI::App app("Times a training step and inference of a preset's tower");
  app.add_option("--preset", options.preset, preset_choices())->capture_default_str();
  app.add_option("--batch", options.batch, "images")->capture_default_str();
  app.add_option("--threads", options.measure.threads)->capture_default_str();
  app.add_option("--runs", options.measure.repetitions, "repetitions; the median counts")
      ->capture_default_str();
  bool cpu_time = false;
  app.add_flag("--cpu-time", cpu_time,
               "processor time instead of wall time, for a busy machine; one thread only");
  CLI11_PARSE(app, argc, argv);
  if (cpu_time) options.measure.clock = bench::Clock::cpu;
  try {
    require(!cpu_time || options.measure.threads == 1,
            "[train_step] expected --threads 1 with --cpu-time");
    run(options);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
