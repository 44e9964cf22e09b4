// Batch norm of a batch that several processes share.
#include <algorithm>
#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "tests/kernels/batch_norm_rig.h"

namespace twinage {
namespace {

using namespace test;
using namespace batch_norm_rig;

// Shards of x as core/shards.h has them.
ConstView shard_of(ConstView x, Index shard, Index shards) {
  const Index first = shard * x.shape.n / shards;
  return x.images(first, (shard + 1) * x.shape.n / shards - first);
}

TEST_CASE("batch_norm_merge: the statistics of shards make those of the batch") {
  Random random(8);
  for (const Case& c : kCases)
    for (const Index shards : {Index{1}, Index{2}, c.x.n}) {
      if (shards > c.x.n || shards < 1) continue;
      CAPTURE(to_string(c.x));
      CAPTURE(shards);
      const TestContext ctx = context_for(c.x);
      GuardedTensor x(c.x, c.extra), parts({shards, 1, 2, c.x.c});
      x.fill_uniform(random, -1, 3);
      for (Index s = 0; s < shards; ++s)
        naive::batch_norm_statistics(ctx, parts.view().pixel(2 * s), parts.view().pixel(2 * s + 1),
                                     shard_of(x.view(), s, shards));
      GuardedTensor mean(vector(c.x.c)), variance(vector(c.x.c));
      GuardedTensor want_mean(vector(c.x.c)), want_variance(vector(c.x.c));
      naive::batch_norm_statistics(ctx, want_mean.data(), want_variance.data(), x.view());
      for (const auto merge : {naive::batch_norm_merge, batch_norm_merge}) {
        mean.fill(NAN);
        variance.fill(NAN);
        merge(ctx, mean.data(), variance.data(), parts.data(), shards, c.x);
        CHECK(close(mean.view(), want_mean.view(), tolerance_of_sum(2)));
        CHECK(close(variance.view(), want_variance.view(), tolerance_of_sum(2)));
      }
      CHECK((mean.guards_intact() && variance.guards_intact() && parts.guards_intact()));
    }
}

TEST_CASE("batch_norm_sums, batch_norm_dx: by shards as the batch at once") {
  Random random(9);
  for (const Case& c : kCases)
    for (const bool relu : {false, true}) {
      const Index shards = std::min<Index>(c.x.n, 3);
      if (shards < 1) continue;
      CAPTURE(to_string(c.x));
      const TestContext ctx = context_for(c.x);
      const BatchNorm norm{.relu = relu};
      BackwardInput input(ctx, c, random);
      const Channels& per = input.per;
      GuardedTensor &x = input.x, &dy = input.dy;
      Gradients want(c.x);
      want.dgamma.fill(0);
      want.dbeta.fill(0);
      naive::batch_norm_backward(ctx, want.dx.view(), want.dgamma.data(), want.dbeta.data(),
                                 dy.view(), x.view(), per.mean.data(), per.variance.data(),
                                 per.gamma.data(), per.beta.data(), norm);
      const auto run = [&](auto sums_of, auto dx_of) {
        GuardedTensor parts({shards, 1, 2, c.x.c}), dbeta(vector(c.x.c)), dgamma(vector(c.x.c));
        GuardedTensor dx(c.x, c.extra);
        dbeta.fill(0);
        dgamma.fill(0);
        for (Index s = 0; s < shards; ++s) {
          sums_of(ctx, parts.view().pixel(2 * s), shard_of(dy.view(), s, shards),
                  shard_of(x.view(), s, shards), per.mean.data(), per.variance.data(),
                  per.gamma.data(), per.beta.data(), norm);
          for (Index k = 0; k < c.x.c; ++k) {
            dbeta.data()[k] += parts.view().pixel(2 * s)[k];
            dgamma.data()[k] += parts.view().pixel(2 * s + 1)[k];
          }
        }
        // A process forms dx of its own images: here of those of the last shard by themselves.
        const Index last = (shards - 1) * c.x.n / shards;
        for (const auto& [first, count] : {std::pair{Index{0}, last}, {last, c.x.n - last}})
          dx_of(ctx, dx.view().images(first, count), dy.view().images(first, count),
                x.view().images(first, count), per.mean.data(), per.variance.data(),
                per.gamma.data(), per.beta.data(), parts.data(), shards, c.x.pixels(), norm);
        CHECK(close(dx.view(), want.dx.view(), tolerance_of_sum(256, 4)));
        CHECK(close(dbeta.view(), want.dbeta.view(), tolerance_of_sum(c.x.pixels(), 4)));
        CHECK(close(dgamma.view(), want.dgamma.view(), tolerance_of_sum(c.x.pixels(), 4)));
        CHECK((dx.guards_intact() && parts.guards_intact()));
      };
      run(naive::batch_norm_sums, naive::batch_norm_dx);
      run(batch_norm_sums, batch_norm_dx);
    }
}

}  // namespace
}  // namespace twinage
