// Workspace: the scratch memory of a step, one arena used as a stack. Its size is planned before
// the first step (every operation that needs scratch has a `..._workspace` function, every layer
// adds them up in plan()), so that a training step allocates nothing.
#pragma once
#include "core/memory.h"
#include "core/view.h"

namespace twinage {

// What a block of `count` floats takes in a workspace: blocks start on cache lines.
inline Index workspace_floats(Index count) {
  return round_up(count, 16);
}

class Workspace {
 public:
  explicit Workspace(Index floats = 0, Device device = Device::cpu);

  Index capacity() const { return capacity_; }  // floats
  Index peak() const { return peak_; }          // most floats ever in use at once

 private:
  friend class WorkspaceScope;
  Floats data_;
  Index capacity_, used_ = 0, peak_ = 0;
};

// Takes blocks and gives all of them back when it ends. The contents of a block are undefined.
class WorkspaceScope {
 public:
  explicit WorkspaceScope(Workspace* workspace);
  ~WorkspaceScope() { workspace_->used_ = mark_; }
  WorkspaceScope(const WorkspaceScope&) = delete;
  WorkspaceScope& operator=(const WorkspaceScope&) = delete;

  // Throws Error when the plan was too small (an error in a `..._workspace` function).
  float* floats(Index count);
  View view(Shape shape) { return {floats(shape.size()), shape}; }

 private:
  Workspace* workspace_;
  Index mark_;
};

}  // namespace twinage
