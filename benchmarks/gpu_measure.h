// Measuring on a GPU: time between two marks in its own stream, the median over repetitions, beside
// what the vendor's libraries reach on the same GPU in the same minute.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/context.h"
#include "core/tensor.h"

namespace twinage::bench {

constexpr int kGpuRepetitions = 11;

// Median milliseconds of `call` on the GPU, after two calls that do not count.
double gpu_ms(const std::function<void()>& call);

// Uniform in [-1, 1), on the GPU.
Tensor random_on_gpu(Shape shape, std::uint64_t seed);

// FLOP/s of a product of two 8192 x 8192 matrices by cuBLAS: what the GPU gives in practice. 0 when
// cuBLAS is not there.
double vendor_peak_flops(const Context& ctx);

// Bytes read and written per second by our copy of a tensor far larger than the caches.
double gpu_bandwidth(const Context& ctx);

// One measured case, and the sum of all cases weighted by how often each occurs.
class GpuReport {
 public:
  explicit GpuReport(double peak_flops) : peak_flops_(peak_flops) {}

  void add(const std::string& pass, const std::string& name, int weight, double flops, double bytes,
           double ours_ms, double vendor_ms);
  void print_totals();
  const nlohmann::ordered_json& lines() const { return lines_; }

 private:
  struct Total {
    std::string pass;
    double flops = 0, ours_ms = 0, vendor_ms = 0;
  };
  double peak_flops_;
  std::vector<Total> totals_;
  nlohmann::ordered_json lines_ = nlohmann::ordered_json::array();
};

}  // namespace twinage::bench
