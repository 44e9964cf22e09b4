// How the columns of a product are cut into panels, and any range into pieces. Nothing here looks
// at the number of threads or at values, so results have the same bits however many threads work.
#pragma once
#include <algorithm>

#include "core/context.h"
#include "core/shape.h"
#include "kernels/product/tiles.h"

namespace twinage::cpu {

// What a context's arithmetic makes of operands.
inline Operands operands_of(const Context& ctx) {
  return ctx.math == Math::bf16 ? Operands::pairs : Operands::floats;
}

// A range cut into pieces of nearly equal size, the larger ones first.
struct Cut {
  Index total = 0, pieces = 1;

  Index begin(Index i) const { return i * (total / pieces) + std::min(i, total % pieces); }
  Index size(Index i) const { return total / pieces + (i < total % pieces ? 1 : 0); }
  Index max_size() const { return ceil_div(total, pieces); }
};

// As few pieces as possible, none larger than `size`; at least one (empty if total is 0).
inline Cut cut_at_most(Index total, Index size) {
  return {total, std::max<Index>(1, ceil_div(total, size))};
}

// Adjacent output channels, as many as a tile is wide.
struct Panel {
  const Tiles* tiles = nullptr;
  Index vectors = 0;
  Index first = 0;    // channel; also where the panel starts in padded channels
  Index columns = 0;  // channels that exist: fewer than width() in the last panel, perhaps

  Index width() const { return vectors * tiles->width; }
  Index max_pixels() const { return tiles->max_pixels[vectors]; }
};

// All panels of `channels` channels. Counts that are an odd multiple of half a vector start with a
// panel of half-wide vectors instead of wasting half a vector.
class Panels {
 public:
  Panels(Index channels, bool one_tap, Operands operands = Operands::floats);

  Index count() const {
    return narrow_.pieces * (narrow_.total > 0) + wide_.pieces * (wide_.total > 0);
  }
  Panel operator[](Index i) const;
  Index padded() const;  // channels, with the zeros behind the last panel's columns
  static Index max_width();

 private:
  Index channels_;
  Operands operands_;
  Cut narrow_{0, 1}, wide_{0, 1};  // vectors
};

// The panels of a block of rows or pixels in groups, each a task: all of them, or, where blocks are
// few, so many groups that there is work for every thread. Results do not depend on it.
inline Cut panel_groups(const Context& ctx, const Panels& panels, Index blocks) {
  const Index tasks_wanted = ctx.threads > 1 ? 4 * ctx.threads : 1;
  return {panels.count(),
          std::clamp<Index>(ceil_div(tasks_wanted, std::max<Index>(1, blocks)), 1, panels.count())};
}

}  // namespace twinage::cpu
