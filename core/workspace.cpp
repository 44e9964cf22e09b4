#include "core/workspace.h"

#include <algorithm>

#include "core/error.h"
#include "core/simt_memory.h"

namespace twinage {

Workspace::Workspace(Index floats, Device device)
    : data_(allocate_floats(workspace_floats(floats), device)),
      capacity_(workspace_floats(floats)) {}

WorkspaceScope::WorkspaceScope(Workspace* workspace) : workspace_(workspace), mark_(0) {
  require(workspace != nullptr, "[workspace] the context has no workspace");
  mark_ = workspace->used_;
}

float* WorkspaceScope::floats(Index count) {
  Workspace& w = *workspace_;
  const Index taken = workspace_floats(count);
  require(w.used_ + taken <= w.capacity_,
          "[workspace] expected at most {} floats in use, got {} + {}: the plan was too small",
          w.capacity_, w.used_, taken);
  float* block = w.data_.get() + w.used_;
  w.used_ += taken;
  w.peak_ = std::max(w.peak_, w.used_);
  if (w.data_.get_deleter().device == Device::simt)
    simt_memory::make_undefined(block, static_cast<std::size_t>(taken) * sizeof(float));
  return block;
}

}  // namespace twinage
