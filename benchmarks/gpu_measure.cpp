#include "benchmarks/gpu_measure.h"

#include <algorithm>

#include <fmt/core.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/random.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/matmul/matmul.h"

namespace twinage::bench {
namespace {

constexpr double kLeastMs = 2;  // between two marks
constexpr int kMostCalls = 20;

}  // namespace

double gpu_ms(const std::function<void()>& call) {
  CudaTimer timer;
  const auto ms_of = [&](int calls) {
    timer.start();
    for (int i = 0; i < calls; ++i) call();
    return timer.stop_ms() / calls;
  };
  call();
  // Of a short call several stand between the marks: launching one takes the host longer.
  const int calls = std::clamp(static_cast<int>(kLeastMs / ms_of(1)), 1, kMostCalls);
  std::vector<double> times;
  for (int i = 0; i < kGpuRepetitions; ++i) times.push_back(ms_of(calls));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

Tensor random_on_gpu(Shape shape, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(shape.size()));
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  Tensor tensor(shape, Device::cuda);
  tensor.copy_from(values.data(), shape.size());
  return tensor;
}

double vendor_peak_flops(const Context& ctx) {
  constexpr Index kSide = 8192;
  Context vendor = ctx;
  vendor.vendor = true;
  // Not zeros: a GPU multiplies those faster, for want of heat.
  const Tensor a = random_on_gpu(matrix(kSide, kSide), 1);
  Tensor b(a.shape(), Device::cuda), c(a.shape(), Device::cuda);
  b.copy_from(a);
  try {
    const double ms =
        gpu_ms([&] { matmul(vendor, c.view(), a.view(), Transpose::no, b.view(), Transpose::no); });
    return 2.0 * kSide * kSide * kSide / ms * 1e3;
  } catch (const Error& error) {
    fmt::print(stderr, "no vendor's peak: {}\n", error.what());
    return 0;
  }
}

double gpu_bandwidth(const Context& ctx) {
  constexpr Index kFloats = Index{1} << 27;  // 0.5 GB
  Tensor from(vector(kFloats), Device::cuda), to(vector(kFloats), Device::cuda);
  const double ms = gpu_ms([&] { copy(ctx, to.view(), from.view()); });
  return 2.0 * sizeof(float) * kFloats / ms * 1e3;
}

void GpuReport::add(const std::string& pass, const std::string& name, int weight, double flops,
                    double bytes, double ours_ms, double vendor_ms) {
  const double rate = flops / ours_ms * 1e3;
  fmt::print("{:15} {:34} {:9.4f} ms {:9.1f} GFLOP/s {:8.1f} GB/s", pass, name, ours_ms,
             rate * 1e-9, bytes / ours_ms * 1e-6);
  if (peak_flops_ > 0) fmt::print("  {:5.2f} of peak", rate / peak_flops_);
  if (vendor_ms > 0) fmt::print("  vendor {:9.4f} ms  {:5.2f}", vendor_ms, vendor_ms / ours_ms);
  fmt::print("\n");
  lines_.push_back({{"pass", pass},
                    {"case", name},
                    {"weight", weight},
                    {"ms", ours_ms},
                    {"gflops", rate * 1e-9},
                    {"gbytes", bytes / ours_ms * 1e-6},
                    {"peak_share", peak_flops_ > 0 ? rate / peak_flops_ : 0},
                    {"vendor_ms", vendor_ms}});
  auto total =
      std::find_if(totals_.begin(), totals_.end(), [&](const Total& t) { return t.pass == pass; });
  if (total == totals_.end()) total = totals_.insert(totals_.end(), {pass});
  total->flops += weight * flops;
  total->ours_ms += weight * ours_ms;
  total->vendor_ms += weight * vendor_ms;
}

void GpuReport::print_totals() {
  for (const Total& t : totals_) {
    const double rate = t.flops / t.ours_ms * 1e3;
    fmt::print("{:15} all of the network: {:.3f} ms, {:.1f} GFLOP/s", t.pass, t.ours_ms,
               rate * 1e-9);
    if (peak_flops_ > 0) fmt::print(", {:.2f} of peak", rate / peak_flops_);
    if (t.vendor_ms > 0)
      fmt::print(", vendor {:.3f} ms, ratio {:.2f}", t.vendor_ms, t.vendor_ms / t.ours_ms);
    fmt::print("\n");
    lines_.push_back({{"pass", t.pass},
                      {"case", "all"},
                      {"ms", t.ours_ms},
                      {"gflops", rate * 1e-9},
                      {"peak_share", peak_flops_ > 0 ? rate / peak_flops_ : 0},
                      {"vendor_ms", t.vendor_ms}});
  }
}

}  // namespace twinage::bench
