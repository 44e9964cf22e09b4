#include "core/workspace.h"

#include <algorithm>

#include "core/error.h"
#include "core/simt_memory.h"

namespace twinage {
namespace {

template <class AnyWorkspace>
AnyWorkspace& there_is(AnyWorkspace* workspace) {
  require(workspace != nullptr, "[workspace] the context has no workspace");
  return *workspace;
}

}  // namespace

Workspace::Workspace(Index floats, Device device)
    : data_(allocate_floats(workspace_floats(floats), device)),
      capacity_(workspace_floats(floats)) {}

void Workspace::use(Index kept, Index scratch) {
  require(kept + scratch <= capacity_,
          "[workspace] expected at most {} floats in use, got {} kept and {} of scratch: the plan "
          "was too small",
          capacity_, kept, scratch);
  kept_ = kept;
  used_ = scratch;
  peak_ = std::max(peak_, kept + scratch);
}

void Workspace::make_undefined(Index first, Index count) {
  if (data_.get_deleter().device == Device::simt && count > 0)
    simt_memory::make_undefined(data_.get() + first,
                                static_cast<std::size_t>(count) * sizeof(float));
}

WorkspaceScope::WorkspaceScope(Workspace* workspace)
    : workspace_(workspace), mark_(there_is(workspace).used_) {}

float* WorkspaceScope::floats(Index count) {
  Workspace& w = *workspace_;
  const Index taken = workspace_floats(count);
  w.use(w.kept_, w.used_ + taken);
  const Index first = w.capacity_ - w.used_;
  w.make_undefined(first, taken);
  return w.data_.get() + first;
}

WorkspaceFrame::WorkspaceFrame(Workspace* workspace)
    : workspace_(workspace), mark_(there_is(workspace).used_) {}

void WorkspaceFrame::resize(Index floats) {
  Workspace& w = *workspace_;
  require(w.used_ == mark_ + size_, "[workspace] a frame changes its size below other scratch");
  w.use(w.kept_, mark_ + floats);
  w.make_undefined(w.capacity_ - w.used_, floats - size_);
  size_ = floats;
}

View WorkspaceFrame::view(Index offset, Shape shape, Element element) const {
  const Index pitch = words(element, shape.c);
  const Index end = offset + workspace_floats(shape.pixels() * pitch);
  require(offset >= 0 && end <= size_, "[workspace] expected {} to lie in a frame of {}, got {}",
          shape, size_, end);
  return {workspace_->data_.get() + workspace_->capacity_ - mark_ - end, shape, pitch, element};
}

View Kept::keep(Workspace* workspace) {
  Workspace& w = there_is(workspace);
  offset_ = w.kept_;
  w.use(w.kept_ + floats(), w.used_);
  w.make_undefined(offset_, floats());
  return {w.data_.get() + offset_, shape_};
}

View Kept::view(const Workspace* workspace) const {
  const Workspace& w = there_is(workspace);
  require(offset_ >= 0 && offset_ + floats() <= w.kept_,
          "[workspace] expected a forward pass in training before each backward pass");
  return {w.data_.get() + offset_, shape_};
}

void Kept::let_go(Workspace* workspace) {
  Workspace& w = there_is(workspace);
  require(offset_ >= 0 && offset_ + floats() == w.kept_,
          "[workspace] expected what was kept last to be given back first");
  w.kept_ = offset_;
  offset_ = -1;
}

}  // namespace twinage
