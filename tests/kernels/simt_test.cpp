// The runner of CUDA kernels on the host: what it imitates, and what it counts.
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/simt/profile.h"
#include "tests/kernels/simt_features.h"
#include "tests/kernels/simt_rig.h"

namespace twinage {
namespace {

using namespace test;

TEST_CASE("simt: shuffles and votes") {
  for (const gpu::Options& options : kAllOptions) {
    const WithOptions scope(options);
    const SimtContext ctx;
    Array<int> shuffled(32 * kShuffles, Device::simt);
    shuffles(ctx, shuffled.data());
    const std::vector<int> got = on_host(shuffled);
    Array<std::uint32_t> voted(32 * 4, Device::simt);
    votes(ctx, voted.data());
    const std::vector<std::uint32_t> votes_got = on_host(voted);
    for (int lane = 0; lane < 32; ++lane) {
      CAPTURE(lane);
      const bool odd = lane % 2 == 1;
      const std::array<int, kShuffles> want = {105,
                                               100 + lane / 8 * 8 + (lane + 1) % 8,
                                               100 + (lane ^ 3),
                                               lane + 4 < 32 ? 104 + lane : 100 + lane,
                                               lane % 16 >= 4 ? 96 + lane : 100 + lane,
                                               odd ? 100 + (lane ^ 2) : -1,
                                               lane < 16 ? 100 + (lane ^ 1) : -1};
      for (int s = 0; s < kShuffles; ++s) {
        CAPTURE(s);
        CHECK(got[static_cast<std::size_t>(lane * kShuffles + s)] ==
              want[static_cast<std::size_t>(s)]);
      }
      const std::uint32_t multiples_of_3 = 0x49249249U;
      const auto* v = &votes_got[static_cast<std::size_t>(lane) * 4];
      CHECK(v[0] == multiples_of_3);
      CHECK(v[1] == 1);
      CHECK(v[2] == 0);
      CHECK(v[3] == (odd ? multiples_of_3 & 0xaaaaaaaaU : 0));
    }
  }
}

TEST_CASE("simt: built-in variables, dynamic shared memory, vectors, integer atomics") {
  for (const gpu::Options& options : kAllOptions) {
    const WithOptions scope(options);
    const SimtContext ctx;

    Array<int> numbers(24 * 12, Device::simt);
    indices(ctx, numbers.data());
    const std::vector<int> got = on_host(numbers);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == static_cast<int>(i));

    for (const unsigned threads : {1U, 31U, 96U, 1024U}) {
      const std::vector<float> x = random_floats(3 * threads);
      Array<float> y(x.size(), Device::simt);
      const Array<float> x_there = on_device(x);
      reverse_blocks(ctx, y.data(), x_there.data(), 3, threads);
      const std::vector<float> reversed = on_host(y);
      for (unsigned i = 0; i < 3 * threads; ++i) {
        const unsigned first = i / threads * threads;
        CHECK(reversed[i] == x[first + threads - 1 - i % threads] - x[first]);
      }
    }

    const std::vector<float> x = random_floats(1024 + 4);
    Array<float> y(x.size(), Device::simt);
    const Array<float> x_there = on_device(x);
    double_by_vectors(ctx, y.data(), x_there.data(), static_cast<int>(x.size()));
    const std::vector<float> doubled = on_host(y);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(doubled[i] == 2 * x[i]);

    Random random(3);
    std::vector<int> values(1000), want(10);
    int want_largest = 0;
    for (int& v : values) {
      v = static_cast<int>(random.below(5000));
      ++want[static_cast<std::size_t>(v % 10)];
      want_largest = std::max(want_largest, v);
    }
    Array<int> counts(10, Device::simt), largest(1, Device::simt);
    const Array<int> values_there = on_device(values);
    histogram(ctx, counts.data(), largest.data(), values_there.data(), 1000, 10);
    CHECK(on_host(counts) == want);
    CHECK(on_host(largest)[0] == want_largest);
  }
}

float rounded_to(float x, int dropped_bits) {  // a fraction with fewer bits, to the nearest
  const double scale = std::ldexp(1.0, std::ilogb(x) - (23 - dropped_bits));
  // Ties: away from zero in tf32, to even in bf16.
  return static_cast<float>(
      (dropped_bits == 13 ? std::round(x / scale) : std::nearbyint(x / scale)) * scale);
}

TEST_CASE("simt: tensor cores multiply rounded operands and add in float32") {
  constexpr int M = 32, N = 48, K = 64;
  const std::vector<float> a = random_floats(M * K, 1), b = random_floats(K * N, 2);
  const Array<float> a_there = on_device(a), b_there = on_device(b);
  struct Kind {
    void (*multiply)(const Context&, float*, const float*, const float*, int, int, int);
    int dropped_bits;
  };
  for (const Kind& kind : {Kind{multiply_tf32, 13}, Kind{multiply_bf16, 16}})
    for (const gpu::Options& options : kAllOptions) {
      const WithOptions scope(options);
      const SimtContext ctx;
      Array<float> c(M * N, Device::simt);
      kind.multiply(ctx, c.data(), a_there.data(), b_there.data(), M, N, K);
      const std::vector<float> got = on_host(c);
      double largest_error = 0, error_of_unrounded = 0;
      for (int m = 0; m < M; ++m)
        for (int n = 0; n < N; ++n) {
          double want = 0, unrounded = 0;
          for (int k = 0; k < K; ++k) {
            const auto x = a[static_cast<std::size_t>(m * K + k)];
            const auto y = b[static_cast<std::size_t>(k * N + n)];
            want += static_cast<double>(rounded_to(x, kind.dropped_bits)) *
                    rounded_to(y, kind.dropped_bits);
            unrounded += static_cast<double>(x) * y;
          }
          const double value = got[static_cast<std::size_t>(m * N + n)];
          largest_error = std::max(largest_error, std::fabs(value - want));
          error_of_unrounded = std::max(error_of_unrounded, std::fabs(value - unrounded));
        }
      CHECK(largest_error <= 1e-5);      // 64 sums of products below 1, in float32
      CHECK(error_of_unrounded > 1e-4);  // the operands were rounded
    }
}

TEST_CASE("simt: sums of tensor cores can be cut off instead of rounded") {
  constexpr int M = 16, N = 16, K = 64;
  std::vector<float> a = random_floats(M * K, 1), b = random_floats(K * N, 2);
  for (std::vector<float>* x : {&a, &b})
    for (float& v : *x) v = std::fabs(v);
  const Array<float> a_there = on_device(a), b_there = on_device(b);
  const auto product = [&](bool truncated) {
    gpu::Options options;
    options.truncated_sums = truncated;
    const WithOptions scope(options);
    Array<float> c(M * N, Device::simt);
    multiply_tf32(SimtContext(), c.data(), a_there.data(), b_there.data(), M, N, K);
    return on_host(c);
  };
  const std::vector<float> nearest = product(false), truncated = product(true);
  double mean_nearest = 0, mean_truncated = 0;
  for (int m = 0; m < M; ++m)
    for (int n = 0; n < N; ++n) {
      double exact = 0;
      for (int k = 0; k < K; ++k)
        exact += static_cast<double>(rounded_to(a[static_cast<std::size_t>(m * K + k)], 13)) *
                 rounded_to(b[static_cast<std::size_t>(k * N + n)], 13);
      const auto i = static_cast<std::size_t>(m * N + n);
      CHECK(static_cast<double>(truncated[i]) <= exact);
      mean_nearest += (static_cast<double>(nearest[i]) - exact) / (M * N);
      mean_truncated += (static_cast<double>(truncated[i]) - exact) / (M * N);
    }
  CHECK(std::fabs(mean_nearest) < 1e-6);  // errors of both signs
  CHECK(mean_truncated < -2e-6);          // of one
  CHECK(mean_truncated > -5e-5);
}

TEST_CASE("simt: asynchronous copies, late and eager, with a part filled with zeros") {
  for (const gpu::Options& options : kAllOptions)
    for (const int count : {1, 64, 65, 127, 300}) {
      CAPTURE(count);
      const WithOptions scope(options);
      const SimtContext ctx;
      std::vector<float> x(static_cast<std::size_t>(count));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7);
      Array<float> sums(static_cast<std::size_t>((count + 63) / 64), Device::simt);
      const Array<float> x_there = on_device(x);
      sums_by_copies(ctx, sums.data(), x_there.data(), count);
      const std::vector<float> got = on_host(sums);
      for (std::size_t s = 0; s < got.size(); ++s) {
        float want = 0;
        for (std::size_t i = 64 * s; i < std::min(x.size(), 64 * s + 64); ++i) want += x[i];
        CHECK(got[s] == want);
      }
    }
}

TEST_CASE("simt: what no GPU offers is refused with the numbers") {
  const SimtContext ctx;
  const auto message = [&](Refused what) -> std::string {
    try {
      refused_launch(ctx, what);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const auto holds = [](const std::string& text, const char* part) {
    return text.find(part) != text.npos;
  };
  CHECK(holds(message(Refused::block), "[refused] simt: expected a block of 1 to 1024 threads"));
  CHECK(holds(message(Refused::block), "(1025, 1, 1)"));
  CHECK(holds(message(Refused::grid), "got (1, 0, 1)"));
  CHECK(
      holds(message(Refused::dynamic_shared), "at most 101376 bytes of shared memory, got 102400"));
  CHECK(holds(message(Refused::fixed_shared), "65536 more for array large"));
  CHECK(holds(message(Refused::fixed_shared), "at simt_features.cu:"));
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)  // kernels/simt/launch_bounds.h
  CHECK(holds(message(Refused::bounds),
              "at most 64 threads, as the __launch_bounds__ of bounded_kernel<2> say, got (8, 9, "
              "1)"));
#endif
}

TEST_CASE("simt: the same bits for 1, 2 and 3 threads") {
  const std::vector<float> x = random_floats(64 * 40);
  const Array<float> x_there = on_device(x);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const SimtContext ctx(threads);
    Array<float> y(x.size(), Device::simt);
    reverse_blocks(ctx, y.data(), x_there.data(), 40, 64);
    results.push_back(on_host(y));
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("simt: bank conflicts of known patterns") {
  const auto cost = [](std::size_t bytes, std::function<std::uintptr_t(unsigned)> address) {
    gpu::Request r;
    r.lanes = 0xffffffffU;
    r.bytes = bytes;
    for (unsigned lane = 0; lane < 32; ++lane) r.address[lane] = address(lane);
    return gpu::shared_cost(r);
  };
  CHECK(cost(4, [](unsigned lane) { return 4 * lane; }).worst == 1);
  CHECK(cost(4, [](unsigned) { return 64U; }).worst == 1);  // one word for all
  CHECK(cost(4, [](unsigned lane) { return 8 * lane; }).worst == 2);
  const auto column = cost(4, [](unsigned lane) { return 32 * 4 * lane; });
  CHECK(column.worst == 32);
  CHECK(column.extra == 31);
  CHECK(cost(4, [](unsigned lane) { return 33 * 4 * lane; }).worst == 1);  // padded
  CHECK(cost(16, [](unsigned lane) { return 16 * lane; }).extra == 0);
  const auto rows = cost(16, [](unsigned lane) { return 32 * 4 * lane; });  // 8 lanes at a time
  CHECK(rows.worst == 8);
  CHECK(rows.extra == 4 * 7);
}

TEST_CASE("simt: sectors of known patterns") {
  const auto cost = [](std::size_t bytes, std::function<std::uintptr_t(unsigned)> address) {
    gpu::Request r;
    r.lanes = 0xffffffffU;
    r.bytes = bytes;
    for (unsigned lane = 0; lane < 32; ++lane) r.address[lane] = address(lane);
    return gpu::global_cost(r);
  };
  CHECK(cost(4, [](unsigned lane) { return 4 * lane; }).worst == 4);
  CHECK(cost(4, [](unsigned lane) { return 4 * lane; }).extra == 0);
  CHECK(cost(4, [](unsigned lane) { return 4 + 4 * lane; }).worst == 5);
  CHECK(cost(4, [](unsigned lane) { return 4 + 4 * lane; }).extra == 1);
  CHECK(cost(4, [](unsigned lane) { return 256 * lane; }).worst == 32);
  CHECK(cost(4, [](unsigned lane) { return 256 * lane; }).extra == 28);
  CHECK(cost(16, [](unsigned lane) { return 16 * lane; }).worst == 16);
  CHECK(cost(4, [](unsigned) { return 0U; }).worst == 1);
}

}  // namespace
}  // namespace twinage
