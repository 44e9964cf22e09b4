#include "core/error.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"
#include "layers/side_by_side.h"

namespace twinage {
namespace {

constexpr const char* kName = "split";

// Part i reads channels [x_[i], x_[i + 1]) of x and writes [y_[i], y_[i + 1]) of y, in place. Their
// order is concat's.
class Split final : public Layer {
 public:
  explicit Split(std::vector<Share> shares) {
    require(!shares.empty(), "[{}] expected at least one part", kName);
    x_.assign(1, 0);
    for (Share& share : shares) {
      x_.push_back(x_.back() + share.channels);
      parts_.push_back(std::move(share.layer));
    }
  }

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    require(x.c == x_.back(), "[{}] expected x with {} channels, got {}", kName, x_.back(), x);
    y_.assign(1, 0);
    memory_ = {};
    Shape y;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Shape part = parts_[i]->plan(ctx, {x.n, x.h, x.w, x_[i + 1] - x_[i]}, mode);
      if (i == 0) y = part;
      require(part.n == y.n && part.h == y.h && part.w == y.w,
              "[{}] expected parts of equal n, h and w, got {} from part 0 and {} from {}", kName,
              y, part, i);
      y_.push_back(y_.back() + part.c);
    }
    for (std::size_t i = parts_.size(); i-- > 0;) memory_.add(*parts_[i]);
    y.c = y_.back();
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
    for (const LayerPtr& part : parts_) sum += part->flops();
    return sum;
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    for (std::size_t i = parts_.size(); i-- > 0;)
      parts_[i]->forward(ctx, slice(y, y_, i), slice(x, x_, i), mode);
  }

  void remake(const Context& ctx, View y, ConstView x) override {
    for (std::size_t i = 0; i < parts_.size(); ++i)
      parts_[i]->remake(ctx, slice(y, y_, i), slice(x, x_, i));
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    for (std::size_t i = 0; i < parts_.size(); ++i)
      parts_[i]->backward(ctx, dx.data == nullptr ? dx : slice(dx, x_, i), slice(dy, y_, i),
                          slice(x, x_, i), slice(y, y_, i), write);
  }

  std::span<const LayerPtr> parts() const override { return parts_; }

  LayerDescription describe() const override {
    LayerDescription split{.kind = kName, .name = name(), .x = planned_.x, .y = planned_.y};
    for (const LayerPtr& part : parts_) split.parts.push_back(part->describe());
    return split;
  }

 private:
  template <class AnyView>
  static AnyView slice(AnyView v, const std::vector<Index>& first, std::size_t i) {
    return v.channels(first[i], first[i + 1] - first[i]);
  }

  std::vector<LayerPtr> parts_;
  std::vector<Index> x_, y_;  // first channels, one more than parts
  Planned planned_;
  SideBySide memory_;
};

}  // namespace

LayerPtr split(std::vector<Share> shares) {
  return std::make_unique<Split>(std::move(shares));
}

}  // namespace twinage
