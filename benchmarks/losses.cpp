// What each loss costs beside a training step: the time of its forward and backward, from a head's
// outputs to their gradient, and its share of the step of a preset's network.
#include <cstdio>

#include "benchmarks/measure.h"
#include "benchmarks/step_options.h"
#include "benchmarks/whole_step.h"
#include "core/error.h"
#include "core/isa.h"

using namespace twinage;

namespace {

struct Options : bench::StepOptions {
  Index embedding = 128;
  int step_runs = 5;
};

double step_ms(const Options& options) {
  bench::WholeStep whole({.device = {}, .threads = options.measure.threads}, options.preset,
                         options.batch);
  bench::Options measure = options.measure;
  measure.repetitions = options.step_runs;
  return bench::measure(measure, 0, [&] { whole.train(); }).median_ms;
}

double loss_ms(const Options& options, Task task, const std::string& name) {
  const Index width = head_form(task, {name}, options.embedding).outputs;
  const auto loss = make_loss(task, {name}, {options.batch, width, 1, Device::cpu, {}});
  Context ctx{.threads = options.measure.threads};
  Workspace workspace(loss->workspace(ctx));
  ctx.workspace = &workspace;
  Random random(1);
  std::vector<float> ages;
  std::vector<std::int32_t> genders;
  for (Index i = 0; i < options.batch; ++i) {
    ages.push_back(static_cast<float>(random.below(90)));
    genders.push_back(static_cast<std::int32_t>(random.below(2)));
  }
  loss->set_labels({ages, genders});
  bench::Rotation outputs(matrix(options.batch, width), 2);
  Tensor gradient(matrix(options.batch, width));
  const auto call = [&] { loss->compute(ctx, gradient.view(), outputs.next()); };
  return bench::measure(options.measure, 0, call).median_ms;
}

void run(const Options& options) {
  const double step = step_ms(options);
  std::printf("%s, batch %lld, %d threads, %s: a step takes %.1f ms\n", options.preset.c_str(),
              static_cast<long long>(options.batch), options.measure.threads,
              to_string(isa()).c_str(), step);
  for (const Task task : kTasks)
    for (const std::string& name : loss_names(task)) {
      const double ms = loss_ms(options, task, name);
      std::printf("  %-10s %-22s %8.3f ms %6.2f %%\n", to_string(task).c_str(), name.c_str(), ms,
                  100 * ms / step);
    }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.measure.repetitions = 30;
  CLI::App app("Times every loss, and shows it as a share of a training step");
  options.add_to(app);
  app.add_option("--embedding", options.embedding, "numbers a face")->capture_default_str();
  app.add_option("--step-runs", options.step_runs, "of the step")->capture_default_str();
  return bench::run_benchmark(app, argc, argv, options, [&] { run(options); });
}
