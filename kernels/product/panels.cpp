#include "kernels/product/panels.h"

namespace twinage::cpu {

Panels::Panels(Index channels, bool one_tap, Operands operands)
    : channels_(channels), operands_(operands) {
  const Tiles &wide = kernels().wide, &narrow = kernels().narrow;
  const auto widest = [&](const Tiles& tiles) {
    return one_tap ? tiles.panel_vectors_1x1 : tiles.panel_vectors;
  };
  Index rest = channels;
  if (narrow.width > 0) {
    const Index vectors = ceil_div(channels, narrow.width);
    constexpr Index kLead = 3;  // narrow vectors in front of a wide rest
    if (vectors % 2 == 1) narrow_ = vectors <= widest(narrow) ? Cut{vectors, 1} : Cut{kLead, 1};
    rest = std::max<Index>(0, channels - narrow_.total * narrow.width);
  }
  wide_ = cut_at_most(ceil_div(rest, wide.width), widest(wide));
}

Panel Panels::operator[](Index i) const {
  const Kernels& k = kernels(operands_);
  Panel panel;
  if (narrow_.total > 0 && i == 0) {
    panel = {&k.narrow, narrow_.total, 0, 0};
  } else {
    const Index w = i - (narrow_.total > 0 ? 1 : 0);
    panel = {&k.wide, wide_.size(w), narrow_.total * k.narrow.width + wide_.begin(w) * k.wide.width,
             0};
  }
  panel.columns = std::min(panel.width(), channels_ - panel.first);
  return panel;
}

Index Panels::padded() const {
  const Kernels& k = kernels();
  return narrow_.total * k.narrow.width + wide_.total * k.wide.width;
}

Index Panels::max_width() {
  const Kernels& k = kernels();
  return std::max(k.wide.panel_vectors_1x1 * k.wide.width,
                  k.narrow.panel_vectors_1x1 * k.narrow.width);
}

}  // namespace twinage::cpu
