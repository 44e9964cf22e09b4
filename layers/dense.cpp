#include "core/error.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"
#include "layers/side_by_side.h"

namespace twinage {
namespace {

constexpr const char* kName = "dense";

// y's channels are what the parts put out, one after the other; part i > 0 reads channels
// [0, first_[i]) of y where they were written and writes [first_[i], first_[i + 1]): what the
// figures draw as a concatenation in front of every part copies nothing.
class Dense final : public Layer {
 public:
  Dense(const std::string& name, std::vector<LayerPtr> parts)
      : Layer(name), parts_(std::move(parts)) {
    require(!parts_.empty(), "[{}] expected at least one part", kName);
  }

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    first_.assign(1, 0);
    SideBySide memory;
    Shape y;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Shape read = i == 0 ? x : Shape{y.n, y.h, y.w, first_[i]};
      const Shape part = parts_[i]->plan(ctx, read, mode);
      if (i == 0) y = part;
      require(part.n == y.n && part.h == y.h && part.w == y.w,
              "[{}] expected parts of equal n, h and w, got {} from part 0 and {} from {}", kName,
              y, part, i);
      first_.push_back(first_.back() + part.c);
      memory.add(*parts_[i]);
    }
    y.c = first_.back();
    planned_ = {x, y, mode};
    kept_ = memory.kept;
    workspace_ = memory.workspace + (mode == Mode::train ? workspace_floats(y.size()) : 0);
    return y;
  }

  Index workspace() const override { return workspace_; }
  Index kept() const override { return kept_; }
  // y is what all parts but the first read; their convolutions wrote it.
  Reads backward_reads() const override { return {.x = parts_[0]->backward_reads().x, .y = true}; }
  double flops() const override {
    double sum = 0;
    for (const LayerPtr& part : parts_) sum += part->flops();
    return sum;
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    parts_[0]->forward(ctx, written(y, 0), x, mode);
    for (std::size_t i = 1; i < parts_.size(); ++i)
      parts_[i]->forward(ctx, written(y, i), read(y, i), mode);
  }

  // The gradient with respect to a channel is dy's and what each later part adds to it, so that
  // parts are gone through from the last to the first, whose own is complete by then. dy is not
  // ours to add to: one copy of it a block.
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    WorkspaceScope scratch(ctx.workspace);
    const View sum = scratch.view(planned_.y);
    copy(ctx, sum, dy);
    for (std::size_t i = parts_.size(); i-- > 1;)
      parts_[i]->backward(ctx, read(sum, i), written(sum, i), read(y, i), written(y, i),
                          Write::accumulate);
    parts_[0]->backward(ctx, dx, written(sum, 0), x, written(y, 0), write);
  }

  std::span<const LayerPtr> parts() const override { return parts_; }

  LayerDescription describe() const override {
    LayerDescription dense{.kind = kName, .name = name(), .x = planned_.x, .y = planned_.y};
    for (const LayerPtr& part : parts_) dense.parts.push_back(part->describe());
    return dense;
  }

 private:
  template <class AnyView>
  AnyView read(AnyView y, std::size_t part) const {
    return y.channels(0, first_[part]);
  }
  template <class AnyView>
  AnyView written(AnyView y, std::size_t part) const {
    return y.channels(first_[part], first_[part + 1] - first_[part]);
  }

  std::vector<LayerPtr> parts_;
  std::vector<Index> first_;  // channel of y, one more than parts
  Planned planned_;
  Index workspace_ = 0, kept_ = 0;
};

}  // namespace

LayerPtr dense(const std::string& name, std::vector<LayerPtr> parts) {
  return std::make_unique<Dense>(name, std::move(parts));
}

}  // namespace twinage
