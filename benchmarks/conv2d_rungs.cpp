// The six rungs of one convolution (docs/10-one-convolution-six-rungs.md) and the kernel that the
// network uses, on a GPU or under simt.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/random.h"
#include "core/tensor.h"
#include "kernels/conv2d/rungs/rungs.h"

using namespace twinage;

namespace {

// The layer of chapters 3 and 10.
Shape input(Index images) {
  return {images, 35, 35, 96};
}
constexpr Shape kFilters{96, 3, 3, 96};
constexpr Conv2d kConv{1, 1, 1};

struct Options {
  std::string device = "cuda";
  Index images = 0;
  int repetitions = 15;
};

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("One convolution, six rungs: 3 x 3, 96 to 96 channels, 35 x 35 pixels");
  app.add_option("--device", options.device, "where the kernels run")
      ->check(CLI::IsMember({"cuda", "simt"}))
      ->capture_default_str();
  app.add_option("--images", options.images, "batch (0: 64 on cuda, 1 on simt)");
  app.add_option("--repetitions", options.repetitions, "timed calls")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  if (options.images == 0) options.images = options.device == "cuda" ? 64 : 1;
  return options;
}

Tensor random_tensor(Shape shape, Device device, std::uint64_t seed) {
  Tensor host(shape);
  Random random(seed);
  for (Index i = 0; i < shape.size(); ++i)
    host.data()[i] = static_cast<float>(random.uniform(-1, 1));
  Tensor tensor(shape, device);
  tensor.copy_from(host);
  return tensor;
}

// Median of the time from the call to the end of its kernels.
double median_ms(Device device, int repetitions, const std::function<void()>& call) {
  std::vector<double> times;
  for (int i = -2; i < repetitions; ++i) {  // two calls to warm up
    const auto start = std::chrono::steady_clock::now();
    call();
    if (device == Device::cuda) cuda_synchronize();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (i >= 0) times.push_back(time.count());
  }
  std::nth_element(times.begin(), times.begin() + repetitions / 2, times.end());
  return times[static_cast<std::size_t>(repetitions / 2)];
}

// A kernel that is fast and wrong is not reported.
void require_close(const std::string& name, const Tensor& got, const Tensor& want,
                   double tolerance) {
  double error = 0;
  for (Index i = 0; i < got.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(got.data()[i]) - want.data()[i]);
    error = !(difference <= error) ? difference : error;  // a NaN stays
  }
  require(error <= tolerance, "[{}] differs from the first rung by {}", name, error);
}

void measure(const Options& options) {
  Context ctx;
  ctx.device = parse_device(options.device).device;
  require_available(ctx.device);
  const Shape xs = input(options.images), ys = conv2d_shape(xs, kFilters, kConv);
  Tensor x = random_tensor(xs, ctx.device, 1), w = random_tensor(kFilters, ctx.device, 2);
  Tensor y(ys, ctx.device), on_host(ys), want(ys);
  Index scratch = 0;
  for (Math math : {Math::fp32, Math::tf32, Math::bf16}) {
    ctx.math = math;
    scratch = std::max(scratch, conv2d_workspace(ctx, xs, kFilters, kConv));
  }
  Workspace workspace(scratch, ctx.device);
  ctx.workspace = &workspace;

  const double flops = 2.0 * static_cast<double>(ys.size() * kFilters.h * kFilters.w * kFilters.c);
  double first_ms = 0;
  fmt::print("{:<28}{:>12}{:>12}{:>10}\n", "kernel", "ms", "GFLOP/s", "times");
  const auto line = [&](const std::string& name, double tolerance,
                        const std::function<void()>& call) {
    call();
    on_host.copy_from(y);
    if (first_ms == 0) want.copy_from(on_host);
    require_close(name, on_host, want, tolerance);
    const double ms = median_ms(ctx.device, options.repetitions, call);
    if (first_ms == 0) first_ms = ms;
    fmt::print("{:<28}{:>12.3f}{:>12.1f}{:>10.2f}\n", name, ms, flops / ms / 1e6, first_ms / ms);
  };
  // Sums of 864 products of numbers in [-1, 1): rounded to float32, or the operands by 2^-11 (tf32)
  // or 2^-8 (bf16). The test of conv2d explains the factors.
  const double root = std::sqrt(864.0);
  const double exact = 1e-4, tf32 = 2 * std::ldexp(root, -11), bf16 = 2 * std::ldexp(root, -8);
  ctx.math = Math::fp32;
  for (int rung = 1; rung <= kConv2dRungs; ++rung)
    line(fmt::format("{} {}", rung, conv2d_rung_name(rung)), rung < 6 ? exact : tf32,
         [&, rung] { conv2d_rung(ctx, rung, y.view(), x.view(), w.view(), kConv); });
  for (const auto& [math, name, tolerance] :
       {std::tuple{Math::fp32, "conv2d, fp32", exact}, std::tuple{Math::tf32, "conv2d, tf32", tf32},
        std::tuple{Math::bf16, "conv2d, bf16", bf16}}) {
    ctx.math = math;
    line(name, tolerance, [&] { conv2d_forward(ctx, y.view(), x.view(), w.view(), kConv); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    measure(parse(argc, argv));
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
