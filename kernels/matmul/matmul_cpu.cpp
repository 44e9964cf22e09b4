// c by panels of b and tiles of rows: of correlations of one tap where a's rows are contiguous, of
// filters where a is transposed. Of bf16, both are first made matrices of pairs along K.
#include <algorithm>

#include "core/parallel.h"
#include "kernels/matmul/matmul.h"
#include "kernels/product/panels.h"

namespace twinage::cpu {
namespace {

// A matrix as pairs of the terms of a sum, which are its columns or its rows.
ConstView paired(const Context& ctx, float* pairs, ConstView m, bool along_columns) {
  const Index rows = m.shape.n, columns = m.shape.c;
  if (along_columns) {
    const Index half = elements(Operands::pairs, columns);
    const Cut pieces =
        cut_at_most(rows, std::max<Index>(1, 32 * 1024 / std::max<Index>(1, columns)));
    parallel_for(pieces.pieces == 1 ? 1 : ctx.threads, pieces.pieces, [&](Index i, int) {
      pair_movers().round(pairs + pieces.begin(i) * half, half, m.pixel(pieces.begin(i)), m.ld,
                          pieces.size(i), columns);
    });
    return {pairs, matrix(rows, half), half};
  }
  const Index half = elements(Operands::pairs, rows);
  parallel_for(rows * columns <= 32 * 1024 ? 1 : ctx.threads, half, [&](Index i, int) {
    const bool odd = 2 * i + 1 == rows;
    pair_movers().join(pairs + i * columns, m.pixel(2 * i), odd ? nullptr : m.pixel(2 * i + 1),
                       columns);
  });
  return {pairs, matrix(half, columns), columns};
}

// b (K x N, or stored N x K) as panels [panel][K][width].
void pack(const Context& ctx, float* panels, ConstView b, Transpose transpose, Index N, Index K) {
  const Panels all(N, true);  // the same for pairs
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

// Calls run(out, pitch) for a tile of c that starts at `c`; where the panel is wider than c, on
// `tail`, from where the columns that exist are copied.
template <class Run>
void run_tile(float* c, Index ld, const Panel& panel, Index rows, float* tail, Write write,
              Run run) {
  if (panel.columns == panel.width()) return run(c, ld);
  if (write == Write::accumulate)
    for (Index m = 0; m < rows; ++m)
      std::copy_n(c + m * ld, panel.columns, tail + m * panel.width());
  run(tail, panel.width());
  for (Index m = 0; m < rows; ++m) std::copy_n(tail + m * panel.width(), panel.columns, c + m * ld);
}

Index tail_floats() {
  return workspace_floats(kMaxPixels * Panels::max_width());
}

// One panel of rows [first, first + rows) of c[i, j] = or += sum over l of a[i, l] * b[l, j].
void rows_of_panel(View c, ConstView a, const float* panels, const Panel& panel, Index first,
                   Index rows, float* tail, Write write) {
  const Index K = a.shape.c;
  std::int32_t a_offsets[kMaxPixels], c_offsets[kMaxPixels];
  for (Index m = 0; m < kMaxPixels; ++m) a_offsets[m] = static_cast<std::int32_t>(m * a.ld);
  CorrelationTile tile{};
  tile.x_offsets = a_offsets;
  tile.y_offsets = c_offsets;
  tile.rows = tile.segments = 1;
  tile.length = K;
  tile.panel = panels + panel.first * K;
  tile.accumulate = write == Write::accumulate;
  const Cut cut = cut_at_most(rows, panel.max_pixels());
  for (Index t = 0; t < cut.pieces; ++t) {
    const Index i = first + cut.begin(t), size = cut.size(t), next = size * a.ld;
    if (size == 0) continue;
    tile.x = a.pixel(i);
    // The first panel's tiles fetch the rows of the next, a little with every term.
    const bool fetch = panel.first == 0;
    tile.prefetch = reinterpret_cast<const char*>(fetch ? tile.x + next : tile.panel);
    tile.prefetch_step =
        fetch ? next * static_cast<Index>(sizeof(float)) / std::max<Index>(1, K) : 0;
    run_tile(c.pixel(i) + panel.first, c.ld, panel, size, tail, write, [&](float* out, Index ld) {
      for (Index m = 0; m < size; ++m) c_offsets[m] = static_cast<std::int32_t>(m * ld);
      tile.y = out;
      panel.tiles->correlate[panel.vectors][size](tile);
    });
  }
}

// Rows of a task: few enough that a second-level cache of 512 KB or more keeps their part of a (64
// K floats) beside a panel; and some tasks at least, for the threads to share.
Cut tasks_of_rows(Index M, Index K) {
  constexpr Index kInput = 64 * 1024, kMostRows = 4096, kTasksWanted = 8, kFewestRows = 32;
  Cut rows = cut_at_most(M, std::clamp<Index>(kInput / std::max<Index>(1, K), 1, kMostRows));
  if (M >= kTasksWanted * kFewestRows) rows.pieces = std::max(rows.pieces, kTasksWanted);
  return rows;
}

void plain_product(const Context& ctx, View c, ConstView a, const float* panels, Write write) {
  const Panels all(c.shape.c, true, operands_of(ctx));
  const Cut rows = tasks_of_rows(c.shape.n, a.shape.c);
  const Cut groups = panel_groups(ctx, all, rows.pieces);
  WorkspaceScope scope(ctx.workspace);
  float* tails = scope.floats(ctx.threads * tail_floats());
  parallel_for(ctx.threads, rows.pieces * groups.pieces, [&](Index task, int thread) {
    const Index r = task / groups.pieces, group = task % groups.pieces;
    for (Index p = groups.begin(group); p < groups.begin(group) + groups.size(group); ++p)
      rows_of_panel(c, a, panels, all[p], rows.begin(r), rows.size(r),
                    tails + thread * tail_floats(), write);
  });
}

// c[i, j] = or += sum over l of a[l, i] * b[l, j].
void transposed_product(const Context& ctx, View c, ConstView a, const float* panels, Write write) {
  const Index M = c.shape.n, K = a.shape.n;
  const Panels all(c.shape.c, true, operands_of(ctx));
  WorkspaceScope scope(ctx.workspace);
  auto* offsets = reinterpret_cast<std::int32_t*>(scope.floats(K));
  for (Index l = 0; l < K; ++l) offsets[l] = static_cast<std::int32_t>(l * a.ld);
  float* tails = scope.floats(ctx.threads * tail_floats());

  constexpr Index kRowsOfATask = 64;
  const Cut rows = cut_at_most(M, kRowsOfATask);
  parallel_for(ctx.threads, all.count() * rows.pieces, [&](Index task, int thread) {
    const Panel panel = all[task / rows.pieces];
    const Cut cut = cut_at_most(rows.size(task % rows.pieces), panel.max_pixels());
    FilterTile tile{};
    tile.x_offsets = offsets;
    tile.terms = K;
    tile.panel = panels + panel.first * K;
    tile.accumulate = write == Write::accumulate;
    for (Index t = 0; t < cut.pieces; ++t) {
      const Index i = rows.begin(task % rows.pieces) + cut.begin(t), size = cut.size(t);
      if (size == 0) continue;
      tile.x = a.data + i;
      run_tile(c.pixel(i) + panel.first, c.ld, panel, size, tails + thread * tail_floats(), write,
               [&](float* out, Index ld) {
                 tile.out = out;
                 tile.out_pitch = ld;
                 panel.tiles->filter[panel.vectors][size](tile);
               });
    }
  });
}

}  // namespace

Index matmul_workspace(const Context& ctx, Index M, Index N, Index K) {
  Index pairs = 0;
  if (operands_of(ctx) == Operands::pairs) {
    K = elements(Operands::pairs, K);
    pairs = workspace_floats(M * K) + workspace_floats(N * K);
  }
  return pairs + workspace_floats(Panels(N, true).padded() * K) + workspace_floats(K) +
         workspace_floats(ctx.threads * tail_floats());
}

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write) {
  const Index M = c.shape.n, N = c.shape.c;
  Index K = transpose_a == Transpose::yes ? a.shape.n : a.shape.c;
  if (M == 0 || N == 0) return;
  WorkspaceScope scope(ctx.workspace);
  if (operands_of(ctx) == Operands::pairs) {
    K = elements(Operands::pairs, K);
    a = paired(ctx, scope.floats(M * K), a, transpose_a == Transpose::no);
    b = paired(ctx, scope.floats(N * K), b, transpose_b == Transpose::yes);
  }
  float* panels = scope.floats(Panels(N, true).padded() * K);
  pack(ctx, panels, b, transpose_b, N, K);
  const auto product = transpose_a == Transpose::yes ? transposed_product : plain_product;
  product(ctx, c, a, panels, write);
}

}  // namespace twinage::cpu
