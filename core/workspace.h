// Workspace: the memory of a step beside the parameters, one arena used from both ends. From its
// front on lies what a forward pass keeps for the backward pass, which gives it back in the
// opposite order; from its back on lies scratch. Both are stacks, and what is between them is free
// for either: the scratch of an early layer's backward pass lies where late layers kept theirs.
//
// Its size is planned before the first step (every operation that needs scratch has a
// `..._workspace` function, every layer says in plan() what it takes at most), so that a training
// step allocates nothing. The same calls in the same order get the same addresses.
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
  Index kept() const { return kept_; }          // floats that a forward pass has kept
  Index peak() const { return peak_; }          // most floats ever in use at once, of both
  // To be called before a forward pass: what an earlier one kept and nobody took is given up, but
  // not what is held.
  void forget() { kept_ = held_; }
  // What is kept now stays, below what forward passes keep, until release().
  void hold() { held_ = kept_; }
  void release() { held_ = kept_ = 0; }

 private:
  friend class WorkspaceScope;
  friend class WorkspaceFrame;
  friend class Kept;
  // Throws Error when both ends would meet (an error in a `..._workspace` function).
  void use(Index kept, Index scratch);
  // Contents of [first, first + count) are undefined from here on, which device simt checks.
  void make_undefined(Index first, Index count);

  Floats data_;
  Index capacity_, held_ = 0, kept_ = 0, used_ = 0, peak_ = 0;  // used_: scratch
};

// Takes blocks of scratch and gives all of them back when it ends. The contents of a block are
// undefined.
class WorkspaceScope {
 public:
  // Throws Error for a null workspace.
  explicit WorkspaceScope(Workspace* workspace);
  ~WorkspaceScope() { workspace_->used_ = mark_; }
  WorkspaceScope(const WorkspaceScope&) = delete;
  WorkspaceScope& operator=(const WorkspaceScope&) = delete;

  // Throws Error when the plan was too small.
  float* floats(Index count);
  View view(Shape shape) { return {floats(shape.size()), shape}; }

 private:
  Workspace* workspace_;
  Index mark_;
};

// One block of scratch that grows and shrinks from moment to moment, while nobody else has taken
// scratch after it. What lies in it is told by its distance from the end that does not move, and
// stays as it is as long as the block covers it.
class WorkspaceFrame {
 public:
  explicit WorkspaceFrame(Workspace* workspace);
  ~WorkspaceFrame() { workspace_->used_ = mark_; }
  WorkspaceFrame(const WorkspaceFrame&) = delete;
  WorkspaceFrame& operator=(const WorkspaceFrame&) = delete;

  void resize(Index floats);  // throws Error when the plan was too small
  View view(Index offset, Shape shape, Element element = Element::float32) const;

 private:
  Workspace* workspace_;
  Index mark_, size_ = 0;
};

// A tensor that a forward pass keeps for the backward pass.
class Kept {
 public:
  // What keep() will take; an empty shape: nothing.
  void plan(Shape shape) { shape_ = shape; }
  Index floats() const { return workspace_floats(shape_.size()); }

  // Forward: from here on it is kept, its contents undefined. Throws Error as WorkspaceScope does.
  View keep(Workspace* workspace);
  // Backward; throws Error when no forward pass has kept it.
  View view(const Workspace* workspace) const;
  // Backward: what was kept last is given back first. Throws Error for any other.
  void let_go(Workspace* workspace);

 private:
  Shape shape_{0, 0, 0, 0};
  Index offset_ = -1;  // -1: not kept
};

}  // namespace twinage
