// The tiles of the convolution (a matrix product is a convolution of 1 x 1 pixels): panels of b;
// tiles of correlate() where a's rows are contiguous, tiles of filters where a is transposed.
#include "core/parallel.h"
#include "kernels/conv2d/conv2d_correlate.h"
#include "kernels/matmul/matmul.h"

namespace twinage::cpu {
namespace {

// A left operand of M rows, each of K contiguous terms.
Geometry geometry(Index M, Index K) {
  Geometry g;
  g.N = g.W = g.Q = 1;
  g.H = g.P = M;
  g.C = K;
  return g;
}

// b (K x N, or stored N x K) as panels [panel][K][width].
void pack(const Context& ctx, float* panels, ConstView b, Transpose transpose, Index N, Index K) {
  const Panels all(N, true);
  const Movers& move = kernels().move;
  parallel_for(N * K < 64 * 1024 ? 1 : ctx.threads, all.count(), [&](Index p, int) {
    const Panel panel = all[p];
    float* to = panels + panel.first * K;
    if (transpose == Transpose::no) {
      move.copy(to, panel.width(), panel.width(), b.data + panel.first, b.ld, K, panel.columns);
      return;
    }
    if (panel.columns < panel.width()) std::fill_n(to, K * panel.width(), 0.0F);
    move.transpose(to, panel.width(), b.pixel(panel.first), b.ld, panel.columns, K, false);
  });
}

// c[i, j] = or += sum over l of a[l, i] * b[l, j].
void transposed_product(const Context& ctx, View c, ConstView a, const float* panels, Write write) {
  const Index M = c.shape.n, N = c.shape.c, K = a.shape.n;
  const Panels all(N, true);
  WorkspaceScope scope(ctx.workspace);
  auto* offsets = reinterpret_cast<std::int32_t*>(scope.floats(K));
  for (Index l = 0; l < K; ++l) offsets[l] = static_cast<std::int32_t>(l * a.ld);
  const Index tail_floats = workspace_floats(kMaxPixels * Panels::max_width());
  float* tails = scope.floats(ctx.threads * tail_floats);

  constexpr Index kRowsOfATask = 64;
  const Cut rows = cut_at_most(M, kRowsOfATask);
  parallel_for(ctx.threads, all.count() * rows.pieces, [&](Index task, int thread) {
    const Panel panel = all[task / rows.pieces];
    const Cut cut = cut_at_most(rows.size(task % rows.pieces), panel.max_pixels());
    const bool whole = panel.columns == panel.width();
    float* tail = tails + thread * tail_floats;
    for (Index t = 0; t < cut.pieces; ++t) {
      const Index i = rows.begin(task % rows.pieces) + cut.begin(t), size = cut.size(t);
      if (size == 0) continue;
      float* out = c.pixel(i) + panel.first;
      FilterTile tile{};
      tile.x = a.data + i;
      tile.x_offsets = offsets;
      tile.terms = K;
      tile.panel = panels + panel.first * K;
      tile.out = whole ? out : tail;
      tile.out_pitch = whole ? c.ld : panel.width();
      tile.accumulate = write == Write::accumulate;
      for (Index m = 0; m < size && !whole && tile.accumulate; ++m)
        std::copy_n(out + m * c.ld, panel.columns, tail + m * panel.width());
      panel.tiles->filter[panel.vectors][size](tile);
      for (Index m = 0; m < size && !whole; ++m)
        std::copy_n(tail + m * panel.width(), panel.columns, out + m * c.ld);
    }
  });
}

}  // namespace

Index matmul_workspace(const Context& ctx, Index M, Index N, Index K) {
  return workspace_floats(Panels(N, true).padded() * K) +
         std::max(correlate_workspace(ctx, geometry(M, K), N),
                  workspace_floats(K) +
                      ctx.threads * workspace_floats(kMaxPixels * Panels::max_width()));
}

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write) {
  const Index M = c.shape.n, N = c.shape.c;
  const Index K = transpose_a == Transpose::yes ? a.shape.n : a.shape.c;
  if (M == 0 || N == 0) return;
  WorkspaceScope scope(ctx.workspace);
  float* panels = scope.floats(Panels(N, true).padded() * K);
  pack(ctx, panels, b, transpose_b, N, K);
  if (transpose_a == Transpose::yes) {
    transposed_product(ctx, c, a, panels, write);
    return;
  }
  Correlation job;
  job.g = geometry(M, K);
  job.K = N;
  job.x = {a.data, M * a.ld, a.ld, a.ld};
  job.y = {c.data, M * c.ld, c.ld, c.ld};
  job.filters = panels;
  job.write = write;
  correlate(ctx, job);
}

}  // namespace twinage::cpu
