#include "kernels/conv2d/conv2d_correlate.h"

#include "core/parallel.h"
#include "kernels/conv2d/moments.h"

namespace twinage::cpu {
namespace {

// One thread's scratch.
struct Scratch {
  float* copy = nullptr;
  float* tail = nullptr;  // a tile whose panel is wider than the channels that exist
  std::int32_t *x_offsets = nullptr, *y_offsets = nullptr;  // of a block's pixels
};

Index scratch_floats(const Blocks& blocks) {
  return workspace_floats(blocks.copy_floats()) +
         workspace_floats(kMaxPixels * Panels::max_width()) +
         2 * workspace_floats(blocks.max_pixels());
}

Scratch cut_scratch(float* memory, const Blocks& blocks) {
  Scratch scratch;
  scratch.copy = memory;
  memory += workspace_floats(blocks.copy_floats());
  scratch.tail = memory;
  memory += workspace_floats(kMaxPixels * Panels::max_width());
  scratch.x_offsets = reinterpret_cast<std::int32_t*>(memory);
  scratch.y_offsets = scratch.x_offsets + workspace_floats(blocks.max_pixels());
  return scratch;
}

// What is shared by all tasks of one correlation.
struct Plan {
  const Correlation& job;
  Blocks blocks;
  Panels panels;
  const float* bias = nullptr;  // [padded]
  float* moments = nullptr;     // [block][mean, m2][padded], or null
};

// Runs a tile whose panel has more columns than there are channels: into scratch, from where the
// channels that exist are copied.
void run_tail(CorrelationTile tile, const Panel& panel, Index pixels, float* tail) {
  float* y = tile.y;
  const std::int32_t* y_offsets = tile.y_offsets;
  std::int32_t offsets[kMaxPixels];
  for (Index m = 0; m < pixels; ++m) {
    offsets[m] = static_cast<std::int32_t>(m * panel.width());
    std::copy_n(y + y_offsets[m], tile.accumulate ? panel.columns : 0, tail + offsets[m]);
  }
  tile.y = tail;
  tile.y_offsets = offsets;
  panel.tiles->correlate[panel.vectors][pixels](tile);
  const Index places = words(tile.y_bf16 ? Element::bf16 : Element::float32, panel.columns);
  for (Index m = 0; m < pixels; ++m) std::copy_n(tail + offsets[m], places, y + y_offsets[m]);
}

// Points a tile at the taps of its line that are inside the picture, in the input and in the panel.
void select_taps(CorrelationTile& tile, const Taps& taps, const Geometry& g, const Source& x,
                 const float* filters, Index width) {
  const Index columns = taps.s1 - taps.s0;
  const bool dense = x.ld == g.C;  // a row of taps is contiguous
  tile.x = x.data + taps.r0 * x.row_pitch + taps.s0 * x.ld;
  tile.rows = columns > 0 ? taps.r1 - taps.r0 : 0;
  tile.row_pitch = x.row_pitch;
  tile.segments = dense ? 1 : columns;
  tile.segment_pitch = x.ld;
  tile.length = dense ? columns * g.C : g.C;
  tile.panel = filters + (taps.r0 * g.S + taps.s0) * g.C * width;
  tile.panel_skip = (g.S - columns) * g.C * width;
}

// What a tile fetches while it computes: the pixels of the next tile where sums are short and the
// input is read in place (`in_place`), else nothing new.
void select_prefetch(CorrelationTile& tile, bool in_place, Index pixels, const Geometry& g,
                     const Source& x) {
  tile.prefetch = reinterpret_cast<const char*>(tile.panel);
  tile.prefetch_step = 0;
  if (!in_place) return;
  const Index next = pixels * g.stride * x.ld;  // floats
  tile.prefetch = reinterpret_cast<const char*>(tile.x + tile.x_offsets[0] + next);
  tile.prefetch_step = next * static_cast<Index>(sizeof(float)) / std::max<Index>(1, g.C);
}

// All tiles of one panel in one block, whose input is `x`.
void run_panel(const Plan& plan, const Block& block, Index block_index, const Panel& panel,
               const Source& x, const Scratch& scratch) {
  const Geometry& g = plan.blocks.g;
  const Correlation& job = plan.job;
  const float* filters = job.filters + panel.first * g.terms();
  const Index padded = plan.panels.padded(), width = panel.width();
  const bool in_place = !plan.blocks.halo && g.one_tap() && panel.first == 0;

  CorrelationTile tile{};
  tile.y = job.y.pixel(block.first_image, block.first_row, 0) + words(job.y_element, panel.first);
  tile.y_bf16 = job.y_element == Element::bf16;
  tile.accumulate = job.write == Write::accumulate;
  tile.bias = plan.bias != nullptr ? plan.bias + panel.first : nullptr;
  tile.relu = job.epilogue.relu;
  if (plan.moments != nullptr) {
    tile.mean = plan.moments + 2 * block_index * padded + panel.first;
    tile.m2 = tile.mean + padded;
    std::fill_n(tile.mean, width, 0.0F);
    std::fill_n(tile.m2, width, 0.0F);
  }

  Index done = 0;  // pixels
  const Lines lines = lines_of(plan.blocks, block);
  const Cut cut = cut_at_most(lines.length, panel.max_pixels());
  for (Index line = 0; line < lines.count; ++line) {
    select_taps(tile, taps_of_line(plan.blocks, block, line), g, x, filters, width);
    for (Index i = 0; i < cut.pieces; ++i) {
      const Index pixels = cut.size(i);
      tile.x_offsets = scratch.x_offsets + done;
      tile.y_offsets = scratch.y_offsets + done;
      tile.share = static_cast<float>(pixels) / static_cast<float>(done + pixels);
      tile.weight = tile.share * static_cast<float>(done);
      select_prefetch(tile, in_place, pixels, g, x);
      if (panel.columns < width)
        run_tail(tile, panel, pixels, scratch.tail);
      else
        panel.tiles->correlate[panel.vectors][pixels](tile);
      done += pixels;
    }
  }
}

}  // namespace

Index correlate_workspace(const Context& ctx, const Geometry& g, Index K) {
  const Blocks blocks = blocks_for_correlation(g, operands_of(ctx) == Operands::pairs);
  const Index padded = Panels(K, g.one_tap()).padded();
  return workspace_floats(padded) + workspace_floats(2 * blocks.count() * padded) +
         ctx.threads * scratch_floats(blocks);
}

void correlate(const Context& ctx, const Correlation& job) {
  const Geometry& g = job.g;
  Plan plan{job, blocks_for_correlation(g, job.rounded_channels > 0),
            Panels(job.K, g.one_tap(), operands_of(ctx))};
  const Index padded = plan.panels.padded(), blocks = plan.blocks.count();
  WorkspaceScope scope(ctx.workspace);
  if (job.epilogue.bias != nullptr) {
    float* bias = scope.floats(padded);
    std::fill_n(std::copy_n(job.epilogue.bias, job.K, bias), padded - job.K, 0.0F);
    plan.bias = bias;
  }
  if (job.epilogue.mean != nullptr) plan.moments = scope.floats(2 * blocks * padded);
  const Index floats = scratch_floats(plan.blocks);
  float* memory = scope.floats(ctx.threads * floats);

  const Cut groups = panel_groups(ctx, plan.panels, blocks);
  parallel_for(ctx.threads, blocks * groups.pieces, [&](Index task, int thread) {
    const Index b = task / groups.pieces, group = task % groups.pieces;
    const Block block = block_at(plan.blocks, b);
    const Scratch scratch = cut_scratch(memory + thread * floats, plan.blocks);
    const Source x = block_input(scratch.copy, job.x, plan.blocks, block, job.rounded_channels);
    pixel_offsets(scratch.x_offsets, plan.blocks, block, x.image_pitch, x.row_pitch, x.ld,
                  g.stride);
    pixel_offsets(scratch.y_offsets, plan.blocks, block, job.y.image_pitch, job.y.row_pitch,
                  job.y.ld, 1);
    for (Index p = groups.begin(group); p < groups.begin(group) + groups.size(group); ++p)
      run_panel(plan, block, b, plan.panels[p], x, scratch);
  });
  if (plan.moments != nullptr)
    merge_moments(job.epilogue, plan.moments, job.K, padded, blocks,
                  [&](Index b) { return block_at(plan.blocks, b).pixels(g.Q); });
}

}  // namespace twinage::cpu
