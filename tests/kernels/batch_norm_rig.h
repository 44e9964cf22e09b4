// What the tests of batch_norm are made of: shapes, channels, gradients.
#pragma once
#include "kernels/batch_norm/batch_norm.h"
#include "tests/support/test_context.h"

namespace twinage::batch_norm_rig {

using namespace test;

struct Case {
  Shape x;
  Index extra = 0;  // channels of the wider tensor that x, y, dx are slices of
};

// Odd channel counts exercise every narrower vector of the tail; 257 and 700 pixels more than one
// block of the CPU and more than one range of CUDA; 70 channels more than one group of channels;
// slices of a multiple of four channels the accesses of 16 bytes.
inline const Case kCases[] = {
    {{1, 1, 1, 1}},       {{1, 1, 1, 37}, 3},  {{2, 3, 5, 8}, 4},   {{2, 3, 5, 31}, 5},
    {{1, 257, 1, 32}},    {{7, 10, 10, 3}, 1}, {{3, 9, 11, 70}, 2}, {{1, 16, 17, 129}},
    {{1, 17, 16, 44}, 8}, {{0, 4, 4, 16}},
};

struct Channels {
  GuardedTensor mean, variance, gamma, beta;
  Channels(Index c, Random& random)
      : mean(vector(c)), variance(vector(c)), gamma(vector(c)), beta(vector(c)) {
    mean.fill_uniform(random);
    variance.fill_uniform(random, 0.2F, 2);
    gamma.fill_uniform(random);  // both signs
    beta.fill_uniform(random, -0.5F, 0.5F);
  }
};

inline TestContext context_for(Shape x, int threads = 2) {
  return TestContext(batch_norm_workspace(planning(), x), threads);
}

// What a backward pass of a case begins with: x, its statistics, dy.
struct BackwardInput {
  Channels per;
  GuardedTensor x, dy;
  BackwardInput(const TestContext& ctx, const Case& c, Random& random)
      : per(c.x.c, random), x(c.x, c.extra), dy(c.x, 2 * c.extra) {
    x.fill_uniform(random, -2, 2);
    dy.fill_uniform(random);
    naive::batch_norm_statistics(ctx, per.mean.data(), per.variance.data(), x.view());
  }
};

struct Gradients {
  GuardedTensor dx, dgamma, dbeta;
  explicit Gradients(Shape x, Index extra = 0)
      : dx(x, extra), dgamma(vector(x.c)), dbeta(vector(x.c)) {
    dgamma.fill(0.25F);  // gradients are added to what is there
    dbeta.fill(-0.5F);
  }
};

}  // namespace twinage::batch_norm_rig
