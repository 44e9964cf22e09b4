// Sums over the batch whose bits do not depend on who computes them (core/shards.h): layers do by
// shards what is summed over images, and whatever the number of images could change in the last
// bit (convolutions and matrix products choose their blocks by it). A context without shards, or
// with one, is the batch as a whole: then every call below is one call of `f`.
#pragma once
#include <algorithm>

#include "core/error.h"
#include "core/shards.h"
#include "core/workspace.h"
#include "kernels/elementwise/elementwise.h"

namespace twinage {

inline bool is_cut(const Context& ctx) {
  return ctx.shards != nullptr && ctx.shards->count() > 1;
}

// Images of the whole batch of which this process has `images`.
inline Index images_of_batch(const Context& ctx, Index images) {
  return is_cut(ctx) ? ctx.shards->batch() : images;
}

// The images of a shard.
inline View of(View x, const Shard& shard) {
  return x.images(shard.first, shard.images);
}
inline ConstView of(ConstView x, const Shard& shard) {
  return x.images(shard.first, shard.images);
}

// f(Shard) for each shard of this process, whose images are [0, images).
template <class F>
void for_shards(const Context& ctx, Index images, F f) {
  if (!is_cut(ctx)) return f(Shard{0, 0, images});
  require(images == ctx.shards->images(), "[shards] expected {} images as planned, got {}",
          ctx.shards->images(), images);
  for (const Shard& shard : ctx.shards->mine()) f(shard);
}

// The most floats that f(shape) says for x of any shard.
template <class F>
Index most_of_shards(const Context& ctx, Shape x, F f) {
  if (!is_cut(ctx)) return f(x);
  Index most = 0;
  for (const Shard& shard : ctx.shards->mine())
    most = std::max(most, f({shard.images, x.h, x.w, x.c}));
  return most;
}

namespace detail {

// out = the sum over shards [begin, end) of this process, along the tree of core/shards.h.
template <class F>
void add_up_shards(const Context& ctx, View out, std::span<const Shard> shards, F& f) {
  if (shards.size() == 1) return f(out, shards[0], Write::overwrite);
  const std::size_t half = shards.size() / 2;
  add_up_shards(ctx, out, shards.first(half), f);
  WorkspaceScope scratch(ctx.workspace);
  const View second = scratch.view(out.shape);
  add_up_shards(ctx, second, shards.subspan(half), f);
  add(ctx, out, second);
}

}  // namespace detail

// sum += what f(View part, Shard, Write) writes of each shard. f overwrites `part`, or adds to it
// where there is one shard: `part` is `sum` itself then. sum: contiguous; the gradient of a whole
// parameter, which this adds to once a step.
template <class F>
void add_sum_of_shards(const Context& ctx, View sum, Index images, F f) {
  if (!is_cut(ctx)) return f(sum, Shard{0, 0, images}, Write::accumulate);
  WorkspaceScope scratch(ctx.workspace);
  const View all = scratch.view(sum.shape);
  detail::add_up_shards(ctx, all, ctx.shards->mine(), f);
  add(ctx, sum, all);
  ctx.shards->is_whole(sum.data, sum.shape.size());
}

// sum[c] += the sum over the pixels of x
inline void add_sum_of_pixels(const Context& ctx, View sum, ConstView x) {
  add_sum_of_shards(ctx, sum, x.shape.n, [&](View part, const Shard& shard, Write write) {
    if (write == Write::overwrite) fill(ctx, part, 0);
    sum_pixels(ctx, part.data, of(x, shard));
  });
}

// Floats that it takes beside those of f.
inline Index shard_sum_workspace(const Context& ctx, Index floats) {
  if (!is_cut(ctx)) return 0;
  Index sums = 1;
  for (auto shards = ctx.shards->mine().size(); shards > 1; shards -= shards / 2) ++sums;
  return sums * workspace_floats(floats);
}

}  // namespace twinage
