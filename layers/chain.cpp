#include <algorithm>
#include <array>

#include "core/error.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "chain";

// x = a[0] -> layer 0 -> a[1] -> layer 1 -> ... -> a[n] = y. The chain owns a[1] ... a[n-1].
//
// What is needed only from one layer to the next (the activations in Mode::eval, the gradients da
// in backward) lies in two buffers by turns: a[i] in buffer i % 2, which is as large as the largest
// of its tensors.
class Chain final : public Layer {
 public:
  explicit Chain(std::vector<LayerPtr> layers) : layers_(std::move(layers)) {
    require(!layers_.empty(), "[{}] expected at least one layer", kName);
  }

  void freeze(Index count) override {
    require(count >= 0 && count <= static_cast<Index>(layers_.size()),
            "[freeze] expected 0 to {} parts, got {}", layers_.size(), count);
    frozen_ = static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < frozen_; ++i)
      for (Parameter* p : layers_[i]->parameters()) p->trained = false;
  }

  Shape plan(const Context& ctx, Shape x, Mode mode) override {
    shapes_.assign(1, x);
    buffers_ = {0, 0};
    Index largest_child = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      shapes_.push_back(layers_[i]->plan(ctx, shapes_[i], mode_of(i, mode)));
      largest_child = std::max(largest_child, layers_[i]->workspace());
      if (i > 0) buffers_[i % 2] = std::max(buffers_[i % 2], shapes_[i].size());
    }
    planned_ = {x, shapes_.back(), mode};
    workspace_ = workspace_floats(buffers_[0]) + workspace_floats(buffers_[1]) + largest_child;

    activations_.clear();
    if (mode == Mode::train)
      for (std::size_t i = 1; i < layers_.size(); ++i)
        activations_.emplace_back(shapes_[i], ctx.device);
    return planned_.y;
  }

  Index workspace() const override { return workspace_; }
  Index activation_bytes() const override {
    Index bytes = 0;
    for (const LayerPtr& layer : layers_) bytes += layer->activation_bytes();
    for (const Tensor& a : activations_) bytes += a.size() * static_cast<Index>(sizeof(float));
    return bytes;
  }
  double flops() const override {
    double sum = 0;
    for (const LayerPtr& layer : layers_) sum += layer->flops();
    return sum;
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode);
    WorkspaceScope scratch(ctx.workspace);
    std::array<float*, 2> buffer{};
    if (mode == Mode::eval) buffer = {scratch.floats(buffers_[0]), scratch.floats(buffers_[1])};

    ConstView in = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const std::size_t next = i + 1;
      View out = y;
      if (next < layers_.size())
        out = mode == Mode::train ? activations_[i].view() : View(buffer[next % 2], shapes_[next]);
      layers_[i]->forward(ctx, out, in, mode_of(i, mode));
      in = out;
    }
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    require(frozen_ == 0 || dx.data == nullptr, "[{}] a frozen part gives no gradient", kName);
    WorkspaceScope scratch(ctx.workspace);
    const std::array<float*, 2> buffer = {scratch.floats(buffers_[0]), scratch.floats(buffers_[1])};
    ConstView dout = dy;
    for (std::size_t i = layers_.size(); i-- > frozen_;) {
      const bool first = i == frozen_;
      const View din = first ? dx : View(buffer[i % 2], shapes_[i]);
      layers_[i]->backward(ctx, din, dout, activation(i, x, y), activation(i + 1, x, y),
                           first ? write : Write::overwrite);
      dout = din;
    }
  }

  std::span<const LayerPtr> parts() const override { return layers_; }

  // An activation is counted where it is written.
  LayerDescription describe() const override {
    LayerDescription chain{.kind = kName, .name = name(), .x = planned_.x, .y = planned_.y};
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      chain.parts.push_back(layers_[i]->describe());
      if (i < activations_.size())
        keep_output(chain.parts[i], static_cast<Index>(activations_[i].bytes()));
    }
    return chain;
  }

 private:
  Mode mode_of(std::size_t part, Mode mode) const { return part < frozen_ ? Mode::eval : mode; }
  // a[i]
  ConstView activation(std::size_t i, ConstView x, ConstView y) const {
    if (i == 0) return x;
    if (i == layers_.size()) return y;
    return activations_[i - 1].view();
  }

  std::vector<LayerPtr> layers_;
  std::size_t frozen_ = 0;  // of them, the first
  Planned planned_;
  std::vector<Shape> shapes_;        // of a[0] ... a[n]
  std::array<Index, 2> buffers_{};   // floats
  std::vector<Tensor> activations_;  // a[1] ... a[n-1], in Mode::train
  Index workspace_ = 0;
};

}  // namespace

LayerPtr chain(std::vector<LayerPtr> layers) {
  return std::make_unique<Chain>(std::move(layers));
}

}  // namespace twinage
