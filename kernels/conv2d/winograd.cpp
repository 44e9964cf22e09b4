// A block is some tiles of all pictures', as many as let their transformed inputs stay in the
// cache. A task is a block and some panels: it transforms the block's inputs, and for each panel
// multiplies position by position and transforms the sums on their way out.
#include "kernels/conv2d/winograd.h"

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/conv2d/moments.h"
#include "kernels/conv2d/winograd_isa.h"

namespace twinage::cpu {
namespace {

constexpr Index kOutputs = kWinogradOutputs, kInputs = kWinogradInputs,
                kPositions = kWinogradPositions;

const WinogradTransforms& transforms() {
  return pick_isa(baseline::kWinograd, avx2::kWinograd, avx512::kWinograd);
}

WinogradNumbers numbers_of(const Context& ctx, Element element) {
  if (element == Element::bf16) return WinogradNumbers::bf16;
  return ctx.math == Math::bf16 ? WinogradNumbers::rounded : WinogradNumbers::floats;
}

auto filter_transform(const Context& ctx) {
  return transforms().filter[ctx.math == Math::bf16];
}

// Rows of `floats` beside each other, an odd number of cache lines apart: 36 of them are written at
// once, and at a multiple of 4 KB they would share a few sets of the cache.
Index pitch_of(Index floats) {
  constexpr Index kLine = 16;
  return (ceil_div(floats, kLine) | 1) * kLine;
}

struct Tiling {
  Index rows, columns;  // tiles of a picture
  Cut blocks;           // of the tiles of all pictures
  Index most;           // tiles of a block: no fewer for more pictures, as who plans expects

  Index count() const { return blocks.total == 0 ? 0 : blocks.pieces; }
};

Tiling tiling_of(const Geometry& g) {
  // The inputs' part of a second-level cache of 1 MB, of which panels take the rest. With fewer
  // tiles than that, filters would be read more often than they are used.
  constexpr Index kInput = 112 * 1024, kFewest = 18, kMost = 256;
  constexpr Index kBlocksWanted = 8, kFewestToShare = 8;  // for the threads
  const Index rows = ceil_div(g.P, kOutputs), columns = ceil_div(g.Q, kOutputs);
  const Index all = g.N * rows * columns;
  const Index most = std::clamp(kInput / (kPositions * g.C), kFewest, kMost);
  Cut blocks = cut_at_most(all, most);
  blocks.pieces =
      std::max(blocks.pieces, std::clamp<Index>(all / kFewestToShare, 1, kBlocksWanted));
  return {rows, columns, blocks, std::min(all, most)};
}

struct Tile {
  Index n, p, q;      // of its first output
  int rows, columns;  // outputs that exist

  int pixels() const { return rows * columns; }
};

Tile tile_at(const Tiling& tiling, const Geometry& g, Index i) {
  const Index in_picture = i % (tiling.rows * tiling.columns);
  const Index p = in_picture / tiling.columns * kOutputs,
              q = in_picture % tiling.columns * kOutputs;
  return {i / (tiling.rows * tiling.columns), p, q, static_cast<int>(std::min(kOutputs, g.P - p)),
          static_cast<int>(std::min(kOutputs, g.Q - q))};
}

// One thread's scratch: transformed inputs [36][tile][C], and sums [36][tile][width] of a panel.
struct Scratch {
  float *inputs, *sums;
  Index inputs_pitch, sums_pitch;
};

Scratch cut_scratch(float* memory, const Tiling& tiling, const Geometry& g) {
  const Index inputs = pitch_of(tiling.most * g.C);
  return {memory, memory + kPositions * inputs, inputs,
          pitch_of(tiling.most * Panels::max_width())};
}

Index scratch_floats(const Tiling& tiling, const Geometry& g) {
  return kPositions * (pitch_of(tiling.most * g.C) + pitch_of(tiling.most * Panels::max_width()));
}

// Filters of one panel whose transforms one task holds before they are turned.
constexpr Index kFilterTerms = 32;

Index filter_scratch_floats() {
  return kPositions * pitch_of(Panels::max_width() * kFilterTerms);
}

void transform_inputs(const Context& ctx, const Scratch& scratch, const Correlation& job,
                      const Tiling& tiling, Index block) {
  const Geometry& g = job.g;
  const auto transform = transforms().input[static_cast<int>(numbers_of(ctx, job.x_element))];
  for (Index i = 0; i < tiling.blocks.size(block); ++i) {
    const Tile tile = tile_at(tiling, g, tiling.blocks.begin(block) + i);
    const Index h = tile.p - g.top, w = tile.q - g.left;
    const auto first = [](Index at) {
      return static_cast<int>(std::clamp<Index>(-at, 0, kInputs));
    };
    const auto end = [](Index at, Index size) {
      return static_cast<int>(std::clamp<Index>(size - at, 0, kInputs));
    };
    transform(scratch.inputs + i * g.C, scratch.inputs_pitch,
              {job.x.pixel(tile.n, h, w), job.x.row_pitch, job.x.ld, first(h), end(h, g.H),
               first(w), end(w, g.W)},
              g.C);
  }
}

// sums[position][tile][k] = sum over c of inputs[position][tile][c] * filters[position][c][k].
void multiply(const Scratch& scratch, const Panel& panel, const float* filters, Index C,
              Index tiles) {
  const Index width = panel.width();
  std::int32_t x_offsets[kMaxPixels], y_offsets[kMaxPixels];
  for (Index m = 0; m < kMaxPixels; ++m) {
    x_offsets[m] = static_cast<std::int32_t>(m * C);
    y_offsets[m] = static_cast<std::int32_t>(m * width);
  }
  CorrelationTile tile{};
  tile.x_offsets = x_offsets;
  tile.y_offsets = y_offsets;
  tile.rows = tile.segments = 1;
  tile.length = C;
  tile.prefetch_step = 64;
  const Cut cut = cut_at_most(tiles, panel.max_pixels());
  for (Index position = 0; position < kPositions; ++position) {
    tile.panel = filters + position * C * width;
    for (Index i = 0; i < cut.pieces; ++i) {
      tile.x = scratch.inputs + position * scratch.inputs_pitch + cut.begin(i) * C;
      tile.y = scratch.sums + position * scratch.sums_pitch + cut.begin(i) * width;
      // The next position's filters, a part with each tile.
      tile.prefetch =
          reinterpret_cast<const char*>(tile.panel + C * width) + i * C * tile.prefetch_step;
      panel.tiles->correlate[panel.vectors][cut.size(i)](tile);
    }
  }
}

// A block's moments, [padded] each, or null.
struct Moments {
  float *mean, *m2;
};

void transform_outputs(const Scratch& scratch, const Correlation& job, const Tiling& tiling,
                       Index block, const Panel& panel, Moments moments) {
  const auto transform = transforms().output[job.y_element == Element::bf16];
  WinogradOutput out{};
  out.position_pitch = scratch.sums_pitch;
  out.row_pitch = job.y.row_pitch;
  out.ld = job.y.ld;
  out.accumulate = job.write == Write::accumulate;
  out.relu = job.epilogue.relu;
  if (job.epilogue.bias != nullptr) out.bias = job.epilogue.bias + panel.first;
  if (moments.mean != nullptr) {
    out.mean = moments.mean + panel.first;
    out.m2 = moments.m2 + panel.first;
    std::fill_n(out.mean, panel.columns, 0.0F);
    std::fill_n(out.m2, panel.columns, 0.0F);
  }
  Index done = 0;  // pixels
  for (Index i = 0; i < tiling.blocks.size(block); ++i) {
    const Tile tile = tile_at(tiling, job.g, tiling.blocks.begin(block) + i);
    out.sums = scratch.sums + i * panel.width();
    out.y = job.y.pixel(tile.n, tile.p, tile.q) + words(job.y_element, panel.first);
    out.rows = tile.rows;
    out.columns = tile.columns;
    out.share = static_cast<float>(tile.pixels()) / static_cast<float>(done + tile.pixels());
    out.weight = out.share * static_cast<float>(done);
    transform(out, panel.columns);
    done += tile.pixels();
  }
}

Index pixels_of(const Tiling& tiling, const Geometry& g, Index block) {
  Index pixels = 0;
  for (Index i = 0; i < tiling.blocks.size(block); ++i)
    pixels += tile_at(tiling, g, tiling.blocks.begin(block) + i).pixels();
  return pixels;
}

// Calls f(panel, first, count, thread) for pieces of the `terms` of all panels.
template <class F>
void each_piece(const Context& ctx, const Panels& panels, Index terms, F f) {
  const Cut pieces = cut_at_most(terms, kFilterTerms);
  parallel_for(ctx.threads, panels.count() * pieces.pieces, [&](Index task, int thread) {
    const Index piece = task % pieces.pieces;
    f(panels[task / pieces.pieces], pieces.begin(piece), pieces.size(piece), thread);
  });
}

}  // namespace

bool takes_winograd(const Context& ctx, const Geometry& g, Index K) {
  // Measured (benchmark_conv2d). Multiplications of bf16 are fewer to begin with; smaller maps have
  // too few tiles for so many filters.
  constexpr Index kFewestPixels = 100, kFewestChannels = 16, kFewestOfBf16 = 32;
  const Index fewest = ctx.math == Math::bf16 ? kFewestOfBf16 : kFewestChannels;
  return g.R == 3 && g.S == 3 && g.stride == 1 && std::min(g.C, K) >= fewest &&
         g.P * g.Q >= kFewestPixels;
}

Index winograd_filter_floats(const Geometry& g, Index K) {
  return workspace_floats(Panels(K, false).padded() * kPositions * g.C);
}

Index winograd_workspace(const Context& ctx, const Geometry& g, Index K) {
  const Tiling tiling = tiling_of(g);
  return std::max(ctx.threads * workspace_floats(filter_scratch_floats()),
                  workspace_floats(2 * tiling.count() * Panels(K, false).padded()) +
                      ctx.threads * workspace_floats(scratch_floats(tiling, g)));
}

void winograd_filters(const Context& ctx, float* panels, ConstView w) {
  const Index C = w.shape.c, filter = w.shape.h * w.shape.w * C;
  const Movers& move = kernels().move;
  const auto transform = filter_transform(ctx);
  WorkspaceScope scope(ctx.workspace);
  const Index floats = workspace_floats(filter_scratch_floats());
  float* memory = scope.floats(ctx.threads * floats);
  each_piece(ctx, Panels(w.shape.n, false), C,
             [&](const Panel& panel, Index first, Index count, int thread) {
               float* held = memory + thread * floats;  // [36][k][count]
               const Index pitch = pitch_of(panel.columns * count), width = panel.width();
               for (Index k = 0; k < panel.columns; ++k)
                 transform(held + k * count, pitch, w.data + (panel.first + k) * filter + first,
                           w.shape.w * C, C, count);
               float* to = panels + panel.first * kPositions * C + first * width;
               for (Index position = 0; position < kPositions; ++position, to += C * width) {
                 if (panel.columns < width) std::fill_n(to, count * width, 0.0F);
                 move.transpose(to, width, held + position * pitch, count, panel.columns, count,
                                false);
               }
             });
}

void winograd_flipped_filters(const Context& ctx, float* panels, ConstView w) {
  const Index K = w.shape.n, C = w.shape.c, row = w.shape.w * C, filter = w.shape.h * row;
  const auto transform = filter_transform(ctx);
  each_piece(ctx, Panels(C, false), K, [&](const Panel& panel, Index first, Index count, int) {
    const Index width = panel.width();
    for (Index k = first; k < first + count; ++k) {
      float* to = panels + panel.first * kPositions * K + k * width;
      transform(to, K * width, w.data + (k + 1) * filter - C + panel.first, -row, -C,
                panel.columns);
      for (Index position = 0; position < kPositions; ++position, to += K * width)
        std::fill(to + panel.columns, to + width, 0.0F);
    }
  });
}

void winograd(const Context& ctx, const Correlation& job) {
  const Geometry& g = job.g;
  const Tiling tiling = tiling_of(g);
  const Panels panels(job.K, false);
  const Index padded = panels.padded(), blocks = tiling.count();
  WorkspaceScope scope(ctx.workspace);
  // Taken in any case, so that a layer takes the same in both directions, as it is planned.
  float* moments = scope.floats(2 * blocks * padded);
  if (job.epilogue.mean == nullptr) moments = nullptr;
  const Index floats = workspace_floats(scratch_floats(tiling, g));
  float* memory = scope.floats(ctx.threads * floats);

  const Cut groups = panel_groups(ctx, panels, blocks);
  parallel_for(ctx.threads, blocks * groups.pieces, [&](Index task, int thread) {
    const Index block = task / groups.pieces, group = task % groups.pieces;
    const Scratch scratch = cut_scratch(memory + thread * floats, tiling, g);
    Moments of_block{};
    if (moments != nullptr)
      of_block = {moments + 2 * block * padded, moments + (2 * block + 1) * padded};
    transform_inputs(ctx, scratch, job, tiling, block);
    for (Index p = groups.begin(group); p < groups.begin(group) + groups.size(group); ++p) {
      const Panel panel = panels[p];
      multiply(scratch, panel, job.filters + panel.first * kPositions * g.C, g.C,
               tiling.blocks.size(block));
      transform_outputs(scratch, job, tiling, block, panel, of_block);
    }
  });
  if (moments != nullptr)
    merge_moments(job.epilogue, moments, job.K, padded, blocks,
                  [&](Index block) { return pixels_of(tiling, g, block); });
}

}  // namespace twinage::cpu
