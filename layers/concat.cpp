#include "core/error.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"
#include "layers/side_by_side.h"

namespace twinage {
namespace {

constexpr const char* kName = "concat";

// Branch b writes channels [first_[b], first_[b + 1]) of y in place: nothing is copied. Forward
// goes from the last branch to the first, backward from the first to the last, which finds on top
// what its branch has kept.
class Concat final : public Layer {
 public:
  explicit Concat(std::vector<LayerPtr> branches) : branches_(std::move(branches)) {
    require(!branches_.empty(), "[{}] expected at least one branch", kName);
  }

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    first_.assign(1, 0);
    memory_ = {};
    Shape y;
    for (std::size_t b = 0; b < branches_.size(); ++b) {
      const Shape part = branches_[b]->plan(ctx, x, mode);
      if (b == 0) y = part;
      require(part.n == y.n && part.h == y.h && part.w == y.w,
              "[{}] expected branches of equal n, h and w, got {} from branch 0 and {} from {}",
              kName, y, part, b);
      first_.push_back(first_.back() + part.c);
    }
    for (std::size_t b = branches_.size(); b-- > 0;) memory_.add(*branches_[b]);
    y.c = first_.back();
    planned_ = {x, y, mode};
    return y;
  }

  Index workspace() const override { return memory_.workspace; }
  Index kept() const override { return memory_.kept; }
  Reads backward_reads() const override { return memory_.reads; }
  Remake remake_from() const override { return memory_.remake_from; }
  Index remake_workspace() const override { return memory_.remake_workspace; }
  double flops() const override {
    double sum = 0;
    for (const LayerPtr& branch : branches_) sum += branch->flops();
    return sum;
  }

  // If all of them know bf16 views: they share x, and a pixel of y.
  Bf16Views bf16_views() const override {
    Bf16Views all{true, true};
    for (const LayerPtr& branch : branches_) {
      const Bf16Views one = branch->bf16_views();
      all = {all.x && one.x, all.y && one.y};
    }
    return all;
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode, bf16_views());
    for (std::size_t b = branches_.size(); b-- > 0;)
      branches_[b]->forward(ctx, slice(y, b), x, mode);
  }

  void remake(const Context& ctx, View y, ConstView x) override {
    for (std::size_t b = 0; b < branches_.size(); ++b) branches_[b]->remake(ctx, slice(y, b), x);
  }

  // Every branch read the same x, so that dx is the sum over the branches: the first one writes
  // as asked, the others add.
  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    for (std::size_t b = 0; b < branches_.size(); ++b)
      branches_[b]->backward(ctx, dx, slice(dy, b), x, slice(y, b),
                             b == 0 ? write : Write::accumulate);
  }

  std::span<const LayerPtr> parts() const override { return branches_; }

  LayerDescription describe() const override {
    LayerDescription concat{.kind = kName, .name = name(), .x = planned_.x, .y = planned_.y};
    for (const LayerPtr& branch : branches_) concat.parts.push_back(branch->describe());
    return concat;
  }

 private:
  template <class AnyView>
  AnyView slice(AnyView y, std::size_t b) const {
    return y.channels(first_[b], first_[b + 1] - first_[b]);
  }

  std::vector<LayerPtr> branches_;
  std::vector<Index> first_;  // channel of y, one more than branches
  Planned planned_;
  SideBySide memory_;
};

}  // namespace

LayerPtr concat(std::vector<LayerPtr> branches) {
  return std::make_unique<Concat>(std::move(branches));
}

}  // namespace twinage
