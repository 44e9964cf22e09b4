// Products of bf16 on the CPU. On tensor cores: conv2d_gpu_test.cpp, matmul_test.cpp.
#include "core/bf16.h"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "core/isa.h"
#include "kernels/matmul/matmul.h"
#include "kernels/product/tiles.h"
#include "tests/kernels/on_cpu.h"

using namespace twinage;
using namespace twinage::test;
using namespace twinage::test::conv2d;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

OnCpu bf16_for(const Case& c, int threads = 2) {
  return OnCpu(Math::bf16, threads, c);
}

// The three passes of a case, on the CPU or by definition.
struct Results {
  explicit Results(const Case& c)
      : y(conv2d_shape(c.x, c.w, c.conv), c.extra_channels), dx(c.x, c.extra_channels), dw(c.w) {}

  void compute(const Context& ctx, const Problem& p, Conv2d conv) {
    conv2d_forward(ctx, y.view(), p.x.view(), p.w.view(), conv);
    conv2d_backward_data(ctx, dx.view(), p.dy.view(), p.w.view(), conv);
    conv2d_backward_filter(ctx, dw.view(), p.dy.view(), p.x.view(), conv, Write::overwrite);
  }
  void define(const Context& ctx, const Problem& p, Conv2d conv) {
    naive::conv2d_forward(ctx, y.view(), p.x.view(), p.w.view(), conv, {});
    naive::conv2d_backward_data(ctx, dx.view(), p.dy.view(), p.w.view(), conv, Write::overwrite);
    naive::conv2d_backward_filter(ctx, dw.view(), p.dy.view(), p.x.view(), conv, Write::overwrite);
  }
  bool guards_intact() const {
    return y.guards_intact() && dx.guards_intact() && dw.guards_intact();
  }
  GuardedTensor y, dx, dw;
};

}  // namespace

TEST_CASE("bf16: rounding is to nearest, ties to even") {
  CHECK(rounded_to_bf16(1.0F) == 1.0F);
  CHECK(rounded_to_bf16(1 + 1.0F / 256) == 1.0F);              // a tie: down to even
  CHECK(rounded_to_bf16(1 + 3.0F / 256) == 1 + 4.0F / 256);    // a tie: up to even
  CHECK(rounded_to_bf16(1 + 1.001F / 256) == 1 + 2.0F / 256);  // past a tie
  CHECK(rounded_to_bf16(-1 - 3.0F / 256) == -1 - 4.0F / 256);  // the sign plays no part
  CHECK(rounded_to_bf16(std::numeric_limits<float>::max()) == kInfinity);
  CHECK(rounded_to_bf16(-kInfinity) == -kInfinity);
  CHECK(std::signbit(rounded_to_bf16(-0.0F)));
  CHECK(to_bf16(0x1p-133F) == 1);  // the smallest
  CHECK(to_bf16(0x1p-134F) == 0);  // a tie: to zero, which is even
  for (std::uint32_t payload : {1U, 0x8000U, 0xFFFFU, 0x400000U, 0x7FFFFFU})
    for (std::uint32_t sign : {0U, 0x80000000U}) {
      CAPTURE(payload);
      const std::uint16_t half = to_bf16(std::bit_cast<float>(sign | 0x7F800000U | payload));
      CHECK(std::isnan(from_bf16(half)));
      CHECK((half & 0x40U) != 0);  // quiet
      CHECK((half >> 15 != 0) == (sign != 0));
    }
}

TEST_CASE("bf16: pairs are made of rounded neighbours, in the order of memory") {
  const cpu::PairMovers& move = cpu::pair_movers();
  Random random(3);
  for (Index count : {1, 2, 3, 31, 32, 33, 64, 97}) {
    CAPTURE(count);
    GuardedTensor from(vector(count)), pairs(vector((count + 1) / 2)), joined(vector(count));
    from.fill_uniform(random);
    from.data()[0] = 1 + 1.0F / 256;  // a tie
    move.round(pairs.data(), (count + 1) / 2, from.data(), count, 1, count);
    move.join(joined.data(), from.data(), count > 40 ? from.data() : nullptr, count);
    for (Index i = 0; i < count; ++i) {
      const std::uint32_t word = std::bit_cast<std::uint32_t>(pairs.data()[i / 2]);
      const std::uint32_t half = i % 2 == 0 ? word & 0xFFFFU : word >> 16;
      CHECK(half == to_bf16(from.data()[i]));
      const std::uint32_t both = std::bit_cast<std::uint32_t>(joined.data()[i]);
      CHECK((both & 0xFFFFU) == to_bf16(from.data()[i]));
      const std::uint32_t second = both >> 16;
      CHECK(second == (count > 40 ? to_bf16(from.data()[i]) : 0U));
    }
    if (count % 2 == 1) CHECK(std::bit_cast<std::uint32_t>(pairs.data()[count / 2]) <= 0xFFFFU);
    CHECK(pairs.guards_intact());
    CHECK(joined.guards_intact());
  }
}

#if defined(__x86_64__)
namespace twinage::cpu {
namespace avx512 {
extern const Tiles wide_pairs;
}
namespace avx512_bf16 {
extern const Tiles wide_pairs;
}
}  // namespace twinage::cpu

TEST_CASE("bf16: vdpbf16ps gives the bits of the plain tiles") {
  if (!__builtin_cpu_supports("avx512bf16") || best_isa() != Isa::avx512) {
    MESSAGE("this processor does not multiply bf16: its instruction was not tested");
    return;
  }
  constexpr Index kTerms = 301, kPixels = 5, kWidth = 48;
  GuardedTensor x(matrix(kPixels, kTerms)), panel(matrix(kTerms, kWidth)),
      y(matrix(kPixels, kWidth)), plain(matrix(kPixels, kWidth));
  Random random(6);
  for (GuardedTensor* t : {&x, &panel}) {
    GuardedTensor first(vector(kTerms * kWidth)), second(vector(kTerms * kWidth));
    first.fill_uniform(random);
    second.fill_uniform(random);
    cpu::pair_movers().join(t->data(), first.data(), second.data(), t->view().shape.size());
  }
  std::int32_t x_offsets[kPixels], y_offsets[kPixels];
  for (Index m = 0; m < kPixels; ++m) {
    x_offsets[m] = static_cast<std::int32_t>(m * kTerms);
    y_offsets[m] = static_cast<std::int32_t>(m * kWidth);
  }
  cpu::CorrelationTile tile{};
  tile.x = x.data();
  tile.x_offsets = x_offsets;
  tile.y_offsets = y_offsets;
  tile.rows = tile.segments = 1;
  tile.length = kTerms;
  tile.panel = panel.data();
  tile.prefetch = reinterpret_cast<const char*>(panel.data());
  tile.y = y.data();
  cpu::avx512_bf16::wide_pairs.correlate[3][kPixels](tile);
  tile.y = plain.data();
  cpu::avx512::wide_pairs.correlate[3][kPixels](tile);
  CHECK(bitwise_equal(y.view(), plain.view()));
  CHECK(largest_magnitude(plain.view()) > 1);
  CHECK(y.guards_intact());
}
#endif

TEST_CASE("bf16: conv2d agrees with the definition, which rounds operands and nothing else") {
  if (test_device() != Device::cpu) return;
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem problem(c, false);
    const OnCpu bf16 = bf16_for(c);
    Results got(c), want(c);
    got.compute(bf16.ctx, problem, c.conv);
    want.define(bf16.ctx, problem, c.conv);
    CHECK(close(got.y.view(), want.y.view(), tolerance_of_sum(forward_terms(c))));
    CHECK(close(got.dx.view(), want.dx.view(), tolerance_of_sum(data_terms(c))));
    CHECK(close(got.dw.view(), want.dw.view(), tolerance_of_sum(problem.shape.pixels())));
    CHECK(got.guards_intact());
  }
}

TEST_CASE("bf16: conv2d multiplies small integers exactly, and adds to what is there") {
  if (test_device() != Device::cpu) return;
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem problem(c, true);
    const OnCpu bf16 = bf16_for(c, 3);
    Results got(c), want(c);
    got.compute(bf16.ctx, problem, c.conv);
    want.define(Context{}, problem, c.conv);
    const Fractions of = fractions(c, Device::cpu, Math::bf16);
    CHECK(integers_agree(got.y.view(), want.y.view(), of.forward, forward_terms(c)));
    CHECK(integers_agree(got.dx.view(), want.dx.view(), of.data, data_terms(c)));
    CHECK(largest_error(got.dw.view(), want.dw.view()) == 0);

    const View w = got.dw.view();
    conv2d_backward_data(bf16.ctx, got.dx.view(), problem.dy.view(), problem.w.view(), c.conv,
                         Write::accumulate);
    conv2d_backward_filter(bf16.ctx, w, problem.dy.view(), problem.x.view(), c.conv);
    for (float* value = want.dw.data(); value < want.dw.data() + c.w.size(); ++value) *value *= 2;
    CHECK(largest_error(w, want.dw.view()) == 0);
    naive::conv2d_backward_data(Context{}, want.dx.view(), problem.dy.view(), problem.w.view(),
                                c.conv, Write::accumulate);
    CHECK(integers_agree(got.dx.view(), want.dx.view(), of.data, data_terms(c)));
  }
}

TEST_CASE("bf16: conv2d's epilogue works on float32 sums") {
  if (test_device() != Device::cpu) return;
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem problem(c, false);
    const OnCpu bf16 = bf16_for(c);
    const Shape channels = vector(c.w.n);
    GuardedTensor bias(channels), mean(channels), variance(channels), want_mean(channels),
        want_variance(channels), y(problem.shape, c.extra_channels), want(problem.shape);
    Random random(3);
    bias.fill_uniform(random);
    conv2d_forward(bf16.ctx, y.view(), problem.x.view(), problem.w.view(), c.conv,
                   {bias.data(), true, mean.data(), variance.data()});
    naive::conv2d_forward(bf16.ctx, want.view(), problem.x.view(), problem.w.view(), c.conv,
                          {bias.data(), true, want_mean.data(), want_variance.data()});
    const double tolerance = tolerance_of_sum(forward_terms(c));
    CHECK(close(y.view(), want.view(), tolerance));
    CHECK(close(mean.view(), want_mean.view(), tolerance));
    CHECK(close(variance.view(), want_variance.view(), tolerance));
  }
}

TEST_CASE("bf16: the same bits for any number of threads") {
  if (test_device() != Device::cpu) return;
  for (const Case& c : cases()) {
    CAPTURE(c);
    const Problem problem(c, false);
    Results first(c);
    for (int threads : {1, 2, 3}) {
      const OnCpu bf16 = bf16_for(c, threads);
      Results again(c);
      (threads == 1 ? first : again).compute(bf16.ctx, problem, c.conv);
      if (threads == 1) continue;
      CHECK(bitwise_equal(again.y.view(), first.y.view()));
      CHECK(bitwise_equal(again.dx.view(), first.dx.view()));
      CHECK(bitwise_equal(again.dw.view(), first.dw.view()));
    }
  }
}

TEST_CASE("bf16: a NaN of an operand reaches every sum that has it, and no other") {
  if (test_device() != Device::cpu) return;
  const Case c{"", {2, 6, 7, 5}, {9, 3, 3, 5}, {1, 1, 1}};
  Problem problem(c, false);
  problem.x.data()[((6 + 2) * 7 + 3) * 5 + 4] = std::nanf("");  // pixel (2, 3) of image 1
  const OnCpu bf16 = bf16_for(c);
  Results got(c), want(c);
  got.compute(bf16.ctx, problem, c.conv);
  want.define(bf16.ctx, problem, c.conv);
  for (Index i = 0; i < problem.shape.size(); ++i)
    CHECK(std::isnan(got.y.data()[i]) == std::isnan(want.y.data()[i]));
  for (Index i = 0; i < c.w.size(); ++i) CHECK(std::isnan(got.dw.data()[i]) == (i % 5 == 4));
}

TEST_CASE("bf16: numbers too small to be normal count as themselves or as zero") {
  if (test_device() != Device::cpu) return;
  const Case c{"", {1, 3, 3, 4}, {16, 1, 1, 4}, {1, 0, 0}};
  Problem problem(c, false);
  problem.x.fill(0x1p-130F);
  problem.w.fill(1);
  const OnCpu bf16 = bf16_for(c);
  Results got(c);
  got.compute(bf16.ctx, problem, c.conv);
  for (float y : got.y.values()) CHECK((y == 0 || y == 4 * 0x1p-130F));
}

TEST_CASE("bf16: matmul agrees with the definition, the same bits for any number of threads") {
  if (test_device() != Device::cpu) return;
  struct Sizes {
    Index M, N, K;
  };
  for (Sizes s :
       {Sizes{1, 1, 1}, {37, 2, 513}, {64, 101, 7}, {9, 64, 200}, {300, 24, 3}, {5, 3, 2}})
    for (Transpose ta : {Transpose::no, Transpose::yes})
      for (Transpose tb : {Transpose::no, Transpose::yes})
        for (Index extra : {0, 5}) {
          CAPTURE(s.M);
          CAPTURE(s.K);
          CAPTURE(ta == Transpose::yes);
          CAPTURE(tb == Transpose::yes);
          GuardedTensor a(ta == Transpose::yes ? matrix(s.K, s.M) : matrix(s.M, s.K), extra),
              b(tb == Transpose::yes ? matrix(s.N, s.K) : matrix(s.K, s.N), extra),
              first(matrix(s.M, s.N)), want(matrix(s.M, s.N));
          Random random(5);
          a.fill_uniform(random);
          b.fill_uniform(random);
          for (int threads : {1, 2, 3}) {
            const OnCpu bf16(Math::bf16, threads, [&](const Context& ctx) {
              return matmul_workspace(ctx, s.M, s.N, s.K);
            });
            GuardedTensor c(matrix(s.M, s.N), extra);
            for (Write write : {Write::overwrite, Write::accumulate}) {
              matmul(bf16.ctx, c.view(), a.view(), ta, b.view(), tb, write);
              naive::matmul(bf16.ctx, want.view(), a.view(), ta, b.view(), tb, write);
              CHECK(close(c.view(), want.view(), tolerance_of_sum(s.K)));
            }
            CHECK(c.guards_intact());
            matmul(bf16.ctx, c.view(), a.view(), ta, b.view(), tb);
            if (threads == 1) matmul(bf16.ctx, first.view(), a.view(), ta, b.view(), tb);
            CHECK(bitwise_equal(c.view(), first.view()));
          }
        }
}

TEST_CASE("bf16: conv2d's gradients are the derivatives of its forward pass") {
  if (test_device() != Device::cpu) return;
  const Case c{"", {2, 5, 4, 3}, {4, 3, 2, 3}, {2, 1, 1}};
  Problem problem(c, true);  // exact in bf16, and so are steps of 1
  const OnCpu bf16 = bf16_for(c);
  Results got(c);
  got.compute(bf16.ctx, problem, c.conv);
  const auto loss = [&] {
    GuardedTensor y(problem.shape);
    conv2d_forward(bf16.ctx, y.view(), problem.x.view(), problem.w.view(), c.conv);
    double sum = 0;
    for (Index i = 0; i < problem.shape.size(); ++i)
      sum += static_cast<double>(y.data()[i]) * problem.dy.data()[i];
    return sum;
  };
  const auto check = [&](GuardedTensor& variable, const GuardedTensor& gradient) {
    const std::vector<float> derivative = gradient.values();
    for (std::size_t i = 0; i < derivative.size(); ++i) {
      const float saved = variable.data()[i];
      variable.data()[i] = saved + 1;
      const double above = loss();
      variable.data()[i] = saved - 1;
      const double below = loss();
      variable.data()[i] = saved;
      CHECK((above - below) / 2 == derivative[i]);
    }
  };
  check(problem.x, got.dx);
  check(problem.w, got.dw);
}
