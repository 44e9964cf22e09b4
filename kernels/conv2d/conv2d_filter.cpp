// Backward filter: dw[k, r, s, c] = sum over pixels of dy[pixel, k] * x[pixel + (r, s), c].
//
// A tile is some adjacent (s, c) times a panel of k; it sums over a block of pixels, and over the
// blocks of a group. Groups (a few, decided by the shape alone) have a copy of dw each; the copies
// are added in order. Threads share groups and, within a group, tiles.
//
// Pairs of bf16 are of output pixels (blocks_for_filter). Of x, a pair has what one tap finds under
// its two pixels, so that it serves every tap: the copy of a block holds, for every pixel, its pair
// with the pixel `pair_distance` behind it. Where the second pixel does not exist, dy's is zero.
#include "kernels/conv2d/conv2d_filter.h"

#include "core/parallel.h"
#include "kernels/conv2d/conv2d_pack.h"
#include "kernels/conv2d/conv2d_plan.h"

namespace twinage::cpu {
namespace {

// Rows of the gradient's panels whose elements of x are contiguous: taps (r, s0) to (r, s1).
struct Strip {
  Index r = 0, s = 0;
  Index length = 0;  // floats: (s1 - s0) * C
};

struct Plan {
  Blocks blocks;
  Panels panels;
  Cut groups;  // of blocks
  Source x, dy;
  bool strip_per_tap = false;

  Index strips() const { return blocks.g.R * (strip_per_tap ? blocks.g.S : 1); }
  Strip strip(Index i) const {
    const Geometry& g = blocks.g;
    if (strip_per_tap) return {i / g.S, i % g.S, g.C};
    return {i, 0, g.S * g.C};
  }
  Cut tiles_of_strip(const Panel& panel) const {
    return cut_at_most(strip(0).length, panel.max_pixels());
  }
  Index tiles_of(const Panel& panel) const { return strips() * tiles_of_strip(panel).pieces; }
  Index dw_floats() const { return panels.padded() * blocks.g.terms(); }
};

Plan plan_of(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  Geometry g = geometry_of(x, w, conv);
  if (g.pointwise()) g = flattened(g);
  const Operands operands = operands_of(ctx);
  Plan plan{blocks_for_filter(g, operands), Panels(w.n, g.one_tap(), operands), {}, {}, {}};
  // Every group costs a pass over dw: worth it from so many pixels on.
  constexpr Index kMostGroups = 8, kSmallFilter = 64 * 1024;
  const Index pixels_of_a_group = plan.dw_floats() <= kSmallFilter ? 256 : 1024;
  const Index blocks = plan.blocks.count();
  plan.groups = {blocks, std::clamp<Index>(g.N * g.P * g.Q / pixels_of_a_group, 1,
                                           std::clamp<Index>(blocks, 1, kMostGroups))};
  return plan;
}

struct Scratch {
  float *copy = nullptr, *dy = nullptr;  // dy: a panel's channels of a block's pixels
  std::int32_t *x_offsets = nullptr, *dy_offsets = nullptr;
  std::int32_t* seconds = nullptr;  // of the pairs whose first are in one of the others
};

Index scratch_floats(const Blocks& blocks) {
  const Index pixels = blocks.max_pixels();
  return workspace_floats(blocks.copy_floats()) + workspace_floats(pixels * Panels::max_width()) +
         3 * workspace_floats(pixels);
}

Scratch cut_scratch(float* memory, const Blocks& blocks) {
  const Index pixels = blocks.max_pixels();
  Scratch scratch;
  scratch.copy = memory;
  scratch.dy = scratch.copy + workspace_floats(blocks.copy_floats());
  scratch.x_offsets =
      reinterpret_cast<std::int32_t*>(scratch.dy + workspace_floats(pixels * Panels::max_width()));
  scratch.dy_offsets = scratch.x_offsets + workspace_floats(pixels);
  scratch.seconds = scratch.dy_offsets + workspace_floats(pixels);
  return scratch;
}

// A block's terms in their order: pixels, or pairs of them. Neighbours that may be paired come in
// runs: the images of a position, else the innermost loop's pixels.
Index run_of(const Blocks& blocks, const Block& block) {
  if (block.images > 1) return block.images;
  return blocks.by_column ? block.rows : blocks.g.Q;
}

Index terms_of(const Blocks& blocks, const Block& block, Index pixels) {
  const Index run = run_of(blocks, block);
  return pixels / run * elements(blocks.operands, run);
}

// Of a block's terms in their order, the range that the tap of a strip finds inside the picture.
struct Range {
  Index first = 0, count = 0;
};

Range terms_inside(const Blocks& blocks, const Block& block, const Strip& strip) {
  const Geometry& g = blocks.g;
  const Index terms = terms_of(blocks, block, block.pixels(g.Q));
  if (!blocks.halo) return {0, terms};
  // Outputs o along the outer axis with 0 <= o * stride - before + tap < extent.
  const Index tap = blocks.by_column ? strip.s : strip.r;
  const Index before = blocks.by_column ? g.left : g.top, extent = blocks.by_column ? g.W : g.H;
  const Index first = blocks.by_column ? 0 : block.first_row;
  const Index count = blocks.by_column ? g.Q : block.rows;
  const Index o0 = ceil_div(std::max<Index>(0, before - tap), g.stride);
  const Index past = extent + before - tap;  // exclusive bound of o * stride
  const Index o1 = past > 0 ? ceil_div(past, g.stride) : 0;
  const Index begin = std::clamp(o0 - first, Index{0}, count);
  const Index end = std::clamp(o1 - first, begin, count);
  const Index inner = terms / count;
  return {begin * inner, (end - begin) * inner};
}

// Tiles [first, last) of one panel, summed over one block. Meanwhile what lies `prefetch` floats
// behind the block's input is fetched.
void run_tiles(const Plan& plan, const Block& block, const Panel& panel, Index first, Index last,
               const Source& x, const Scratch& scratch, float* dw, bool accumulate,
               Index prefetch) {
  const Geometry& g = plan.blocks.g;
  const Cut cut = plan.tiles_of_strip(panel);
  FilterTile tile{};
  tile.out_pitch = panel.width();
  tile.accumulate = accumulate;
  tile.prefetch = prefetch;
  for (Index i = first; i < last; ++i) {
    const Strip strip = plan.strip(i / cut.pieces);
    const Index begin = cut.begin(i % cut.pieces), size = cut.size(i % cut.pieces);
    const Range terms = terms_inside(plan.blocks, block, strip);
    tile.x = x.data + strip.r * x.row_pitch + strip.s * x.ld + begin;
    tile.x_offsets = scratch.x_offsets + terms.first;
    tile.terms = terms.count;
    tile.panel = scratch.dy + terms.first * panel.width();
    tile.out = dw + ((strip.r * g.S + strip.s) * g.C + begin) * panel.width();
    panel.tiles->filter[panel.vectors][size](tile);
  }
}

// What the tiles of a block read of x, and where its terms are: scratch.x_offsets.
Source block_operand(const Plan& plan, const Block& block, const Scratch& scratch) {
  const Blocks& blocks = plan.blocks;
  const Geometry& g = blocks.g;
  const Index pixels = block.pixels(g.Q), run = run_of(blocks, block);
  const auto offsets_in = [&](const Source& x) {
    pixel_offsets(scratch.x_offsets, blocks, block, x.image_pitch, x.row_pitch, x.ld, g.stride);
  };
  if (blocks.operands == Operands::floats) {
    const Source x = block_input(scratch.copy, plan.x, blocks, block);
    offsets_in(x);
    return x;
  }
  if (!blocks.halo && g.one_tap()) {  // no pixel is read twice: the pairs that are, and no others
    const Source& x = plan.x;
    offsets_in(x);
    const Index pairs = pair_offsets(scratch.x_offsets, scratch.seconds, pixels, run);
    pair_movers().gather(scratch.copy, blocks.copy_ld, g.C,
                         x.pixel(block.first_image, block.first_row * g.stride - g.top, -g.left),
                         scratch.x_offsets, scratch.seconds, pairs, g.C);
    for (Index i = 0; i < pairs; ++i)
      scratch.x_offsets[i] = static_cast<std::int32_t>(i * blocks.copy_ld);
    return {scratch.copy, 0, 0, blocks.copy_ld};
  }
  const Source x = block_input(scratch.copy, plan.x, blocks, block);
  offsets_in(x);
  pair_offsets(scratch.x_offsets, scratch.seconds, pixels, run);
  const Index neighbour = blocks.by_column ? x.row_pitch : x.ld;
  const Index pair_distance = block.images > 1 ? x.image_pitch : g.stride * neighbour;
  const Index floats = block.images * x.image_pitch;
  const Index both = std::max<Index>(0, floats - pair_distance);
  pair_movers().join(scratch.copy, scratch.copy, scratch.copy + pair_distance, both);
  pair_movers().join(scratch.copy + both, scratch.copy + both, nullptr, floats - both);
  return x;
}

// Share `share` of the tiles of all panels, summed over the blocks of one group.
void run_share(const Plan& plan, Index group, Index share, Index shares, float* dw,
               const Scratch& scratch) {
  Index tiles = 0;
  for (Index p = 0; p < plan.panels.count(); ++p) tiles += plan.tiles_of(plan.panels[p]);
  const Cut cut{tiles, shares};
  const Index first = cut.begin(share), last = first + cut.size(share);

  const Index first_block = plan.groups.begin(group);
  for (Index b = first_block; b < first_block + plan.groups.size(group); ++b) {
    const Block block = block_at(plan.blocks, b);
    const Source x = block_operand(plan, block, scratch);
    pixel_offsets(scratch.dy_offsets, plan.blocks, block, plan.dy.image_pitch, plan.dy.row_pitch,
                  plan.dy.ld, 1);
    Index terms = block.pixels(plan.blocks.g.Q);
    if (plan.blocks.operands == Operands::pairs)
      terms = pair_offsets(scratch.dy_offsets, scratch.seconds, terms, run_of(plan.blocks, block));
    const float* dy = plan.dy.pixel(block.first_image, block.first_row, 0);
    const bool last_block = b + 1 == first_block + plan.groups.size(group);
    // Read in place by one tap, x comes from memory at a rate that matters: the tiles of the first
    // panel fetch the next block.
    Index prefetch = 0;
    if (plan.blocks.copy_ld == 0 && plan.blocks.g.one_tap() && !last_block)
      prefetch = block.rows * plan.blocks.g.stride * x.row_pitch;
    Index before = 0;  // tiles of the panels before this one
    for (Index p = 0; p < plan.panels.count(); ++p) {
      const Panel panel = plan.panels[p];
      const Index count = plan.tiles_of(panel);
      const Index begin = std::clamp(first - before, Index{0}, count);
      const Index end = std::clamp(last - before, Index{0}, count);
      before += count;
      if (begin >= end) continue;
      if (plan.blocks.operands == Operands::pairs)
        pair_movers().gather(scratch.dy, panel.width(), panel.width(), dy + panel.first,
                             scratch.dy_offsets, scratch.seconds, terms, panel.columns);
      else
        kernels().move.gather(scratch.dy, panel.width(), dy + panel.first, scratch.dy_offsets,
                              terms, panel.columns);
      run_tiles(plan, block, panel, begin, end, x, scratch,
                dw + panel.first * plan.blocks.g.terms(), b > first_block, prefetch);
      prefetch = 0;
    }
  }
}

}  // namespace

Index filter_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  const Plan plan = plan_of(ctx, x, w, conv);
  return workspace_floats(plan.groups.pieces * plan.dw_floats()) +
         ctx.threads * scratch_floats(plan.blocks);
}

void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write) {
  Plan plan = plan_of(ctx, x.shape, dw.shape, conv);
  if (plan.blocks.count() == 0) {  // an empty batch
    if (write == Write::overwrite) std::fill_n(dw.data, dw.shape.size(), 0.0F);
    return;
  }
  plan.x = source_of(x);
  plan.dy = source_of(dy);
  if (geometry_of(x.shape, dw.shape, conv).pointwise()) {
    plan.x.row_pitch = x.ld;
    plan.dy.row_pitch = dy.ld;
  }
  // In a picture whose pixels are wider than C, a row of taps is not contiguous; and taps of one
  // row see different pixels where columns reach outside.
  plan.strip_per_tap = plan.blocks.by_column || (plan.blocks.copy_ld == 0 && x.ld != x.shape.c);

  WorkspaceScope scope(ctx.workspace);
  float* copies = scope.floats(plan.groups.pieces * plan.dw_floats());
  const Index floats = scratch_floats(plan.blocks);
  float* memory = scope.floats(ctx.threads * floats);

  // How the tiles of a group are shared changes no sum.
  const Index tasks_wanted = ctx.threads > 1 ? 4 * ctx.threads : 1;
  const Index shares = ceil_div(tasks_wanted, plan.groups.pieces);
  parallel_for(ctx.threads, plan.groups.pieces * shares, [&](Index task, int thread) {
    const Index group = task / shares;
    run_share(plan, group, task % shares, shares, copies + group * plan.dw_floats(),
              cut_scratch(memory + thread * floats, plan.blocks));
  });
  unpack_filters(ctx, dw, copies, plan.panels, plan.groups.pieces, write);
}

}  // namespace twinage::cpu
