#include "kernels/conv2d/conv2d_pack.h"

#include "core/parallel.h"

namespace twinage::cpu {
namespace {

// Rows of a panel that one task moves: enough to be worth a task, few enough to share.
constexpr Index kTaskFloats = 32 * 1024;

// Calls move(panel, first, count) for all pieces of all panels of `terms` rows.
template <class Move>
void each_piece(const Context& ctx, const Panels& panels, Index terms, Move move) {
  const Cut pieces = cut_at_most(terms, std::max<Index>(1, kTaskFloats / Panels::max_width()));
  const bool small = panels.padded() * terms <= kTaskFloats;
  parallel_for(small ? 1 : ctx.threads, panels.count() * pieces.pieces, [&](Index task, int) {
    const Index piece = task % pieces.pieces;
    move(panels[task / pieces.pieces], pieces.begin(piece), pieces.size(piece));
  });
}

}  // namespace

Source source_of(ConstView x) {
  return {x.data, x.shape.h * x.shape.w * x.ld, x.shape.w * x.ld, x.ld};
}

Target target_of(View y) {
  return {y.data, y.shape.h * y.shape.w * y.ld, y.shape.w * y.ld, y.ld};
}

ConstView pair_channels(const Context& ctx, float* pairs, ConstView w) {
  const Index C = w.shape.c, half = elements(Operands::pairs, C);
  const Index taps = w.shape.n * w.shape.h * w.shape.w;
  const Cut pieces = cut_at_most(taps, std::max<Index>(1, kTaskFloats / C));
  parallel_for(pieces.pieces == 1 ? 1 : ctx.threads, pieces.pieces, [&](Index i, int) {
    const Index tap = pieces.begin(i);
    pair_movers().round(pairs + tap * half, half, w.data + tap * C, C, pieces.size(i), C);
  });
  return {pairs, {w.shape.n, w.shape.h, w.shape.w, half}, half};
}

ConstView pair_filters(const Context& ctx, float* pairs, ConstView w) {
  const Index filter = w.shape.h * w.shape.w * w.shape.c;
  const Index half = elements(Operands::pairs, w.shape.n);
  parallel_for(half * filter <= kTaskFloats ? 1 : ctx.threads, half, [&](Index i, int) {
    const float* first = w.data + 2 * i * filter;
    const bool odd = 2 * i + 1 == w.shape.n;
    pair_movers().join(pairs + i * filter, first, odd ? nullptr : first + filter, filter);
  });
  return {pairs, {half, w.shape.h, w.shape.w, w.shape.c}, w.shape.c};
}

void pack_filters(const Context& ctx, float* panels, ConstView w) {
  const Index terms = w.shape.h * w.shape.w * w.shape.c;
  const Movers& move = kernels().move;
  const Panels all(w.shape.n, w.shape.h * w.shape.w == 1);
  each_piece(ctx, all, terms, [&](const Panel& panel, Index first, Index count) {
    float* to = panels + panel.first * terms + first * panel.width();
    if (panel.columns < panel.width()) std::fill_n(to, count * panel.width(), 0.0F);
    move.transpose(to, panel.width(), w.data + panel.first * terms + first, terms, panel.columns,
                   count, false);
  });
}

void pack_flipped_filters(const Context& ctx, float* panels, ConstView w, Index R, Index S,
                          TapOrder taps) {
  const Index K = w.shape.n, C = w.shape.c, filter = w.shape.h * w.shape.w * C;
  const Movers& move = kernels().move;
  const Panels all(C, R * S == 1);
  const Index terms = R * S * K;
  each_piece(ctx, all, terms, [&](const Panel& panel, Index first, Index count) {
    while (count > 0) {  // one tap after the other; its rows are k
      const Index tap = first / K, k = first % K, rows = std::min(count, K - k);
      const Index r = taps.r_last - tap / S * taps.step, s = taps.s_last - tap % S * taps.step;
      move.copy(panels + panel.first * terms + first * panel.width(), panel.width(), panel.width(),
                w.data + k * filter + (r * w.shape.w + s) * C + panel.first, filter, rows,
                panel.columns);
      first += rows;
      count -= rows;
    }
  });
}

Source block_input(float* scratch, const Source& x, const Blocks& blocks, const Block& block,
                   Index rounded_channels) {
  const Geometry& g = blocks.g;
  const Index first_h = block.first_row * g.stride - g.top;
  if (blocks.copy_ld == 0)
    return {x.pixel(block.first_image, first_h, -g.left), x.image_pitch, x.row_pitch, x.ld};

  const Index height = blocks.copy_height(block.rows), width = blocks.copy_width();
  const Index ld = blocks.copy_ld;
  const Source copy = {scratch, height * width * ld, width * ld, ld};
  // Columns [w0, w1) of the copy exist in the picture.
  const Index w0 = std::clamp<Index>(g.left, 0, width);
  const Index w1 = std::clamp<Index>(g.W + g.left, w0, width);
  const Movers& move = kernels().move;
  // Rows that follow one another in x and in the copy are one long row.
  const bool one_row = rounded_channels > 0 && w0 == 0 && w1 == width &&
                       x.row_pitch == width * x.ld && first_h >= 0 && first_h + height <= g.H;
  for (Index n = 0; n < block.images; ++n) {
    if (one_row) {
      pair_movers().round(scratch + n * copy.image_pitch, ld,
                          x.pixel(block.first_image + n, first_h, -g.left), x.ld, height * width,
                          rounded_channels);
      continue;
    }
    for (Index i = 0; i < height; ++i) {
      float* row = scratch + n * copy.image_pitch + i * copy.row_pitch;
      const Index h = first_h + i;
      if (h < 0 || h >= g.H) {
        std::fill_n(row, width * ld, 0.0F);
        continue;
      }
      const float* from = x.pixel(block.first_image + n, h, w0 - g.left);
      std::fill_n(row, w0 * ld, 0.0F);
      if (rounded_channels > 0)
        pair_movers().round(row + w0 * ld, ld, from, x.ld, w1 - w0, rounded_channels);
      else if (x.ld == ld)
        std::copy_n(from, (w1 - w0) * ld, row + w0 * ld);
      else
        move.copy(row + w0 * ld, ld, g.C, from, x.ld, w1 - w0, g.C);
      std::fill_n(row + w1 * ld, (width - w1) * ld, 0.0F);
    }
  }
  return copy;
}

Index pair_offsets(std::int32_t* first, std::int32_t* second, Index pixels, Index run) {
  Index pairs = 0;
  for (Index begin = 0; begin < pixels; begin += run)
    for (Index i = begin; i < begin + run; i += 2, ++pairs) {
      second[pairs] = i + 1 < begin + run ? first[i + 1] : -1;
      first[pairs] = first[i];
    }
  return pairs;
}

void pixel_offsets(std::int32_t* offsets, const Blocks& blocks, const Block& block,
                   Index image_pitch, Index row_pitch, Index ld, Index step) {
  const Index row_step = row_pitch * step, column_step = ld * step;
  const Index outer = blocks.by_column ? blocks.g.Q : block.rows;
  const Index inner = blocks.by_column ? block.rows : blocks.g.Q;
  const Index outer_step = blocks.by_column ? column_step : row_step;
  const Index inner_step = blocks.by_column ? row_step : column_step;
  for (Index i = 0; i < outer; ++i) {
    if (block.images == 1) {
      for (Index j = 0; j < inner; ++j)
        offsets[j] = static_cast<std::int32_t>(i * outer_step + j * inner_step);
      offsets += inner;
      continue;
    }
    for (Index j = 0; j < inner; ++j)
      for (Index n = 0; n < block.images; ++n)
        *offsets++ = static_cast<std::int32_t>(i * outer_step + j * inner_step + n * image_pitch);
  }
}

void unpack_filters(const Context& ctx, View dw, float* panels, const Panels& all, Index copies,
                    Write write) {
  const Index terms = dw.shape.h * dw.shape.w * dw.shape.c;
  const Movers& move = kernels().move;
  each_piece(ctx, all, terms, [&](const Panel& panel, Index first, Index count) {
    float* from = panels + panel.first * terms + first * panel.width();
    for (Index copy = 1; copy < copies; ++copy)
      move.add(from, from + copy * terms * all.padded(), count * panel.width());
    move.transpose(dw.data + panel.first * terms + first, terms, from, panel.width(), count,
                   panel.columns, write == Write::accumulate);
  });
}

}  // namespace twinage::cpu
