// What parts side by side take of the workspace, and what of them can be made again: as a whole,
// they read what any of them reads.
#pragma once
#include <algorithm>

#include "layers/layer.h"

namespace twinage {

struct SideBySide {
  Index workspace = 0, kept = 0, remake_workspace = 0;
  Layer::Reads reads{.x = false, .y = false};
  Layer::Remake remake_from = Layer::Remake::from_kept;

  // In their order, each after its plan(). What the parts before it have kept lies below its own.
  void add(const Layer& part) {
    workspace = std::max(workspace, kept + part.workspace());
    kept += part.kept();
    remake_workspace = std::max(remake_workspace, part.remake_workspace());
    reads.x = reads.x || part.backward_reads().x;
    reads.y = reads.y || part.backward_reads().y;
    if (remake_from != Layer::Remake::no && part.remake_from() != Layer::Remake::from_kept)
      remake_from = part.remake_from();
  }
};

}  // namespace twinage
