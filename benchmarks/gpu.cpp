// Device cuda against cuBLAS and cuDNN: matrix products, the convolutions of a preset (forward,
// backward data, backward filter), and whole training steps with inference. Every result is
// checked against the vendor's before it is timed.
#include <cstdio>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "benchmarks/gpu_measure.h"
#include "benchmarks/layers.h"
#include "benchmarks/whole_step.h"
#include "core/cuda_runtime.h"
#include "core/error.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/matmul/matmul.h"
#include "kernels/vendor.h"

using namespace twinage;
using namespace twinage::bench;

namespace {

struct Options {
  std::string set = "v3", math = "fp32", json, filter;
  Index batch = 8;
  int gpu = 0;
  bool vendor = true, kernels = true, step = true;
};

enum class Pass { forward, backward_data, backward_filter };

void run(Pass pass, const Context& ctx, View x, View w, View y, Conv2d conv) {
  switch (pass) {
    case Pass::forward:
      return conv2d_forward(ctx, y, x, w, conv);
    case Pass::backward_data:
      return conv2d_backward_data(ctx, x, y, w, conv);
    case Pass::backward_filter:
      return conv2d_backward_filter(ctx, w, y, x, conv, Write::overwrite);
  }
}

// Rounding of the operands to `math`, through a sum: relative to the largest result.
double tolerance(Math math) {
  return math == Math::fp32 ? 1e-4 : math == Math::tf32 ? 5e-3 : 4e-2;
}

void require_close(const std::string& what, const Tensor& got, const Tensor& want, Math math) {
  std::vector<float> a(static_cast<std::size_t>(got.size())), b(a.size());
  got.copy_to(a.data(), got.size());
  want.copy_to(b.data(), want.size());
  double error = 0, magnitude = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    error = !(difference <= error) ? difference : error;  // a NaN stays
    magnitude = std::max(magnitude, std::fabs(static_cast<double>(b[i])));
  }
  require(error <= tolerance(math) * magnitude, "[{}] differs from the vendor's by {} of {}", what,
          error, magnitude);
}

std::string name_of(const bench::Layer& l) {
  return fmt::format("{}x{}{} {}x{}x{} {}>{}", l.w.h, l.w.w,
                     l.conv.stride > 1 ? fmt::format("s{}", l.conv.stride) : "", l.x.n, l.x.h,
                     l.x.w, l.x.c, l.w.n);
}

void measure_conv2d(GpuReport& report, const Options& options, const Context& ctx,
                    const bench::Layer& layer) {
  const std::string name = name_of(layer);
  if (name.find(options.filter) == std::string::npos) return;
  Context vendor = ctx;
  vendor.vendor = true;
  if (ctx.math == Math::bf16) vendor.math = Math::tf32;  // the nearest that cuDNN has
  const Shape ys = conv2d_shape(layer.x, layer.w, layer.conv);
  Tensor x = random_on_gpu(layer.x, 1), w = random_on_gpu(layer.w, 2), y = random_on_gpu(ys, 3);
  const double flops = 2.0 * static_cast<double>(ys.size() * layer.w.h * layer.w.w * layer.w.c);
  const double bytes =
      static_cast<double>(layer.x.size() + layer.w.size() + ys.size()) * sizeof(float);
  for (const auto& [pass, label] :
       {std::pair{Pass::forward, "forward"}, std::pair{Pass::backward_data, "backward data"},
        std::pair{Pass::backward_filter, "backward filter"}}) {
    if (pass == Pass::backward_data && layer.x.c == 3) continue;  // nobody needs it
    const auto call = [&, p = pass](const Context& on) {
      run(p, on, x.view(), w.view(), y.view(), layer.conv);
    };
    double vendor_ms = 0;
    if (options.vendor) {
      Tensor& result = pass == Pass::forward ? y : pass == Pass::backward_data ? x : w;
      Tensor want(result.shape(), Device::cuda);
      call(vendor);
      want.copy_from(result);
      call(ctx);
      require_close(name, result, want, ctx.math);
      vendor_ms = gpu_ms([&] { call(vendor); });
    }
    report.add(label, name, layer.count, flops, bytes, gpu_ms([&] { call(ctx); }), vendor_ms);
  }
}

nlohmann::ordered_json conv2d_cases(const Options& options, Context ctx, double peak) {
  fmt::print("\nconvolutions of {}, {}{}\n", options.set, options.math,
             options.vendor && ctx.math == Math::bf16 ? " (the vendor's in tf32)" : "");
  const auto& layers = options.set == "v3" ? v3_layers() : tiny_layers();
  Index most = 0;
  for (const bench::Layer& l : layers)
    most = std::max(most, conv2d_workspace(ctx, l.x, l.w, l.conv));
  Workspace workspace(most, Device::cuda);
  ctx.workspace = &workspace;
  GpuReport report(peak);
  for (const bench::Layer& layer : layers) measure_conv2d(report, options, ctx, layer);
  report.print_totals();
  return report.lines();
}

nlohmann::ordered_json matmul_cases(const Options& options, Context ctx, double peak) {
  fmt::print("\nmatrix products, {}\n", options.math);
  struct Case {
    Index m, n, k;
  };
  GpuReport report(peak);
  for (const auto& [m, n, k] : {Case{512, 512, 512}, Case{1024, 1024, 1024}, Case{4096, 4096, 4096},
                                Case{64, 128, 2048}, Case{9800, 64, 288}}) {
    Workspace workspace(matmul_workspace(ctx, m, n, k), Device::cuda);
    ctx.workspace = &workspace;
    Context vendor = ctx;
    vendor.vendor = true;
    const Tensor a = random_on_gpu(matrix(m, k), 1), b = random_on_gpu(matrix(k, n), 2);
    Tensor c(matrix(m, n), Device::cuda), want(matrix(m, n), Device::cuda);
    const auto call = [&](const Context& on, Tensor& to) {
      matmul(on, to.view(), a.view(), Transpose::no, b.view(), Transpose::no);
    };
    const std::string name = fmt::format("{} x {} x {}", m, n, k);
    double vendor_ms = 0;
    if (options.vendor) {
      call(vendor, want);
      call(ctx, c);
      require_close(name, c, want, ctx.math);
      vendor_ms = gpu_ms([&] { call(vendor, want); });
    }
    report.add("matmul", name, 1, 2.0 * static_cast<double>(m * n * k),
               static_cast<double>(m * n + m * k + n * k) * sizeof(float),
               gpu_ms([&] { call(ctx, c); }), vendor_ms);
  }
  return report.lines();
}

// The whole step as the trainer makes it: bytes to the GPU, forward, objective, backward, ADADELTA.
nlohmann::ordered_json step_cases(const Options& options, const DeviceChoice& choice, Math math) {
  const std::size_t before = cuda_bytes_in_use();
  WholeStep whole({.device = choice, .math = math}, options.set, options.batch);
  const double train_ms = gpu_ms([&] { whole.train(); });
  const std::size_t bytes = cuda_bytes_in_use() - before;
  const std::string& refused = whole.step.not_recorded();
  whole.engine.plan(whole.network, options.batch, Mode::eval);
  const Tensor images = random_on_gpu(whole.images(), 4);
  const double infer_ms =
      gpu_ms([&] { whole.network.forward(whole.engine.context(), images.view(), Mode::eval); });
  const auto rate = [&](double ms) { return static_cast<double>(options.batch) / ms * 1e3; };
  fmt::print(
      "\n{}, batch {}, {}: training step {:.2f} ms, {:.1f} images/s; inference {:.2f} ms, "
      "{:.1f} images/s; {:.0f} MB of the GPU's memory; the step is {}\n",
      options.set, options.batch, options.math, train_ms, rate(train_ms), infer_ms, rate(infer_ms),
      static_cast<double>(bytes) * 1e-6,
      refused.empty() ? "one CUDA graph" : "not a CUDA graph: " + refused);
  return {{"preset", options.set}, {"batch", options.batch},
          {"train_ms", train_ms},  {"train_images_per_second", rate(train_ms)},
          {"infer_ms", infer_ms},  {"infer_images_per_second", rate(infer_ms)},
          {"bytes", bytes},        {"graph", refused.empty()}};
}

void run(Options options) {
  const std::string problem = cuda_problem();
  require(problem.empty(), "[benchmark_gpu] nothing was measured: {}", problem);
  if (const std::string why = vendor::problem(); options.vendor && !why.empty()) {
    fmt::print("NOT compared with the vendor, and no result was checked: {}\n", why);
    options.vendor = false;
  }
  cuda_select(options.gpu);
  Context ctx;
  ctx.device = Device::cuda;
  ctx.math = parse<Math>(options.math);
  const double peak = options.vendor ? vendor_peak_flops(ctx) : 0, bandwidth = gpu_bandwidth(ctx);
  fmt::print(
      "{}\n{}: cuBLAS reaches {:.1f} TFLOP/s on 8192 x 8192 (the peak below); copying {:.0f} "
      "GB/s\n",
      cuda_description(), options.math, peak * 1e-12, bandwidth * 1e-9);
  nlohmann::ordered_json all = {{"gpu", cuda_description()},
                                {"math", options.math},
                                {"checked_against_vendor", options.vendor},
                                {"vendor_peak_flops", peak},
                                {"copy_bytes_per_second", bandwidth}};
  if (options.kernels) {
    all["matmul"] = matmul_cases(options, ctx, peak);
    all["conv2d"] = conv2d_cases(options, ctx, peak);
  }
  if (options.step) all["step"] = step_cases(options, {Device::cuda, options.gpu}, ctx.math);
  if (options.json.empty()) return;
  std::ofstream file(options.json);
  file << all.dump(1) << "\n";
  require(file.good(), "[benchmark_gpu] cannot write {}", options.json);
}

}  // namespace

int main(int argc, char** argv) {
  // A line at a time: what was measured is there when a time limit ends the program.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Options options;
  CLI::App app("Times device cuda against cuBLAS and cuDNN");
  app.add_option("--set", options.set, "layers and preset")
      ->check(CLI::IsMember({"v3", "tiny"}))
      ->capture_default_str();
  app.add_option("--math", options.math, "fp32, tf32 or bf16")->capture_default_str();
  app.add_option("--batch", options.batch, "images a training step")->capture_default_str();
  app.add_option("--gpu", options.gpu, "which GPU")->capture_default_str();
  app.add_option("--filter", options.filter, "only convolutions whose name contains this");
  app.add_option("--json", options.json, "also write the results to this file");
  app.add_flag("!--no-vendor", options.vendor, "without cuBLAS and cuDNN: nothing is checked");
  app.add_flag("!--no-kernels", options.kernels, "the whole step only");
  app.add_flag("!--no-step", options.step, "the kernels only");
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
