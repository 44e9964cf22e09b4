#include "kernels/matmul/matmul.h"

#include <cmath>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/vendor.h"
#include "tests/support/test_context.h"

using namespace twinage;
using namespace twinage::test;

namespace {

struct Sizes {
  Index M, N, K;
};

constexpr Sizes kSizes[] = {{1, 1, 1},    {16, 48, 32}, {37, 2, 512}, {64, 101, 7},
                            {9, 64, 200}, {300, 24, 3}, {2, 56, 64},  {5, 3, 1}};
// For a GPU: enough outputs for large tiles; a depth that is split among blocks.
constexpr Sizes kLargeSizes[] = {{8500, 72, 40}, {150, 70, 600}};

// One product with its operands stored as asked.
struct Problem {
  Problem(Sizes s, Transpose transpose_a, Transpose transpose_b, Index extra, bool integers)
      : a(transpose_a == Transpose::yes ? matrix(s.K, s.M) : matrix(s.M, s.K), extra),
        b(transpose_b == Transpose::yes ? matrix(s.N, s.K) : matrix(s.K, s.N), extra) {
    Random random(5);
    for (GuardedTensor* t : {&a, &b})
      integers ? t->fill_small_integers(random) : t->fill_uniform(random);
  }
  GuardedTensor a, b;
};

TestContext context_for(Sizes s, int threads) {
  Context sizing;
  sizing.device = test_device();
  sizing.threads = threads;
  return TestContext(matmul_workspace(sizing, s.M, s.N, s.K), threads);
}

template <class F>
void each_problem(F f) {
  for (Sizes s : kSizes)
    for (Transpose ta : {Transpose::no, Transpose::yes})
      for (Transpose tb : {Transpose::no, Transpose::yes})
        for (Index extra : {0, 5}) {
          CAPTURE(s.M);
          CAPTURE(s.N);
          CAPTURE(s.K);
          CAPTURE(ta == Transpose::yes);
          CAPTURE(tb == Transpose::yes);
          CAPTURE(extra);
          f(s, ta, tb, extra);
        }
}

}  // namespace

TEST_CASE("matmul agrees with the definition") {
  each_problem([](Sizes s, Transpose ta, Transpose tb, Index extra) {
    Problem p(s, ta, tb, extra, false);
    const TestContext ctx = context_for(s, 2);
    GuardedTensor c(matrix(s.M, s.N), extra), want(matrix(s.M, s.N));
    for (Write write : {Write::overwrite, Write::accumulate}) {
      matmul(ctx, c.view(), p.a.view(), ta, p.b.view(), tb, write);
      naive::matmul(ctx, want.view(), p.a.view(), ta, p.b.view(), tb, write);
      CHECK(close(c.view(), want.view(), tolerance_of_sum(s.K)));
      CHECK(c.guards_intact());
    }
  });
}

TEST_CASE("matmul: small integers give the definition's values, the same bits on any threads") {
  each_problem([](Sizes s, Transpose ta, Transpose tb, Index extra) {
    Problem exact(s, ta, tb, extra, true), rounded(s, ta, tb, extra, false);
    GuardedTensor want(matrix(s.M, s.N)), first(matrix(s.M, s.N));
    for (int threads : {1, 2, 3}) {
      const TestContext ctx = context_for(s, threads);
      GuardedTensor c(matrix(s.M, s.N));
      matmul(ctx, c.view(), exact.a.view(), ta, exact.b.view(), tb);
      naive::matmul(ctx, want.view(), exact.a.view(), ta, exact.b.view(), tb, Write::overwrite);
      CHECK(largest_error(c.view(), want.view()) == 0);

      matmul(ctx, c.view(), rounded.a.view(), ta, rounded.b.view(), tb);
      if (threads == 1) matmul(ctx, first.view(), rounded.a.view(), ta, rounded.b.view(), tb);
      CHECK(bitwise_equal(c.view(), first.view()));
    }
  });
}

TEST_CASE("matmul: large sizes, small integers") {
  for (Sizes s : kLargeSizes)
    for (Transpose ta : {Transpose::no, Transpose::yes})
      for (Transpose tb : {Transpose::no, Transpose::yes}) {
        CAPTURE(s.K);
        CAPTURE(ta == Transpose::yes);
        CAPTURE(tb == Transpose::yes);
        const Problem p(s, ta, tb, 4, true);
        const TestContext ctx = context_for(s, 2);
        const Shape shape = matrix(s.M, s.N);
        GuardedTensor c(shape, 4), want(shape);
        matmul(ctx, c.view(), p.a.view(), ta, p.b.view(), tb);
        matmul(ctx, c.view(), p.a.view(), ta, p.b.view(), tb, Write::accumulate);
        naive::matmul(ctx, want.view(), p.a.view(), ta, p.b.view(), tb, Write::overwrite);
        for (Index i = 0; i < shape.size(); ++i) want.data()[i] *= 2;
        CHECK(largest_error(c.view(), want.view()) == 0);
        CHECK(c.guards_intact());
      }
}

TEST_CASE("matmul: tensor cores round operands, and nothing but operands") {
  if (test_device() == Device::cpu) return;  // has none
  each_problem([](Sizes s, Transpose ta, Transpose tb, Index extra) {
    Problem exact(s, ta, tb, extra, true), rounded(s, ta, tb, extra, false);
    const Shape shape = matrix(s.M, s.N);
    GuardedTensor want(shape), want_rounded(shape);
    const Context definition;
    naive::matmul(definition, want.view(), exact.a.view(), ta, exact.b.view(), tb,
                  Write::overwrite);
    naive::matmul(definition, want_rounded.view(), rounded.a.view(), ta, rounded.b.view(), tb,
                  Write::overwrite);
    for (const auto& [math, operand_rounding] : {std::pair{Math::tf32, std::ldexp(1.0, -11)},
                                                 std::pair{Math::bf16, std::ldexp(1.0, -8)}}) {
      const double rounding = operand_rounding;  // clang 14: no bindings in a lambda
      CAPTURE(rounding);
      Context ctx;
      ctx.device = test_device();
      ctx.math = math;
      Workspace workspace(matmul_workspace(ctx, s.M, s.N, s.K), ctx.device);
      ctx.workspace = &workspace;
      GuardedTensor c(shape, extra);
      matmul(ctx, c.view(), exact.a.view(), ta, exact.b.view(), tb);
      CHECK(largest_error(c.view(), want.view()) == 0);
      CHECK(c.guards_intact());
      matmul(ctx, c.view(), rounded.a.view(), ta, rounded.b.view(), tb);
      // See the test of conv2d. Few terms may happen to be rounded little.
      const double tolerance = 2 * rounding * std::sqrt(static_cast<double>(s.K));
      const double error = largest_error(c.view(), want_rounded.view());
      CHECK(error <= tolerance);
      if (s.K >= 32) CHECK(error >= tolerance / 10);
    }
  });
}

TEST_CASE("matmul: NVIDIA's library agrees with the definition") {
  if (test_device() != Device::cuda) return;  // where alone it runs
  if (const std::string problem = vendor::cublas_problem(); !problem.empty()) {
    MESSAGE("cuBLAS was not tested: ", problem);
    return;
  }
  each_problem([](Sizes s, Transpose ta, Transpose tb, Index extra) {
    Problem p(s, ta, tb, extra, false);
    Context ctx;
    ctx.device = Device::cuda;
    ctx.vendor = true;
    GuardedTensor c(matrix(s.M, s.N), extra), want(matrix(s.M, s.N));
    for (Write write : {Write::overwrite, Write::accumulate}) {
      matmul(ctx, c.view(), p.a.view(), ta, p.b.view(), tb, write);
      naive::matmul(ctx, want.view(), p.a.view(), ta, p.b.view(), tb, write);
      CHECK(close(c.view(), want.view(), tolerance_of_sum(s.K)));
      CHECK(c.guards_intact());
    }
  });
}

TEST_CASE("matmul: NVIDIA's library is refused on other devices") {
  for (Device device : {Device::cpu, Device::simt}) {
    Context ctx;
    ctx.device = device;
    ctx.vendor = true;
    std::string message;
    try {
      matmul_workspace(ctx, 1, 1, 1);
    } catch (const Error& error) {
      message = error.what();
    }
    CHECK(message == "[matmul_workspace] the vendor's kernels compute on device cuda, not on " +
                         to_string(device) + ": choose our own kernels");
  }
}

TEST_CASE("matmul: an empty sum is zero") {
  TestContext ctx(1 << 12);
  GuardedTensor a(matrix(4, 0)), b(matrix(0, 3)), c(matrix(4, 3)), zero(matrix(4, 3));
  zero.fill(0);
  matmul(ctx, c.view(), a.view(), Transpose::no, b.view(), Transpose::no);
  CHECK(bitwise_equal(c.view(), zero.view()));
}

TEST_CASE("matmul: shapes that do not fit are refused") {
  TestContext ctx(1 << 12);
  GuardedTensor a(matrix(4, 5)), b(matrix(6, 3)), c(matrix(4, 3));
  std::string message;
  try {
    matmul(ctx, c.view(), a.view(), Transpose::no, b.view(), Transpose::no);
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message == "[matmul] expected 5 rows of b for a = (4, 1, 1, 5), got 6 (b = (6, 1, 1, 3))");
}

TEST_CASE("matmul: an arithmetic that no kernel knows is refused, on every device") {
  const TestContext usual(1 << 12);
  Context ctx = usual;
  ctx.math = static_cast<Math>(3);
  GuardedTensor a(matrix(4, 5)), b(matrix(5, 3)), c(matrix(4, 3));
  for (const Device device : {Device::cpu, Device::simt}) {
    ctx.device = device;
    CHECK_THROWS_WITH_AS(matmul(ctx, c.view(), a.view(), Transpose::no, b.view(), Transpose::no),
                         "[matmul] unknown arithmetic 3", Error);
  }
  CHECK_THROWS_AS(to_string(ctx.math), Error);
}
