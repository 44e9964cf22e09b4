#include <algorithm>
#include <optional>

#include "core/error.h"
#include "layers/description.h"
#include "layers/layers.h"
#include "layers/lifetimes.h"
#include "layers/planned.h"

namespace twinage {
namespace {

constexpr const char* kName = "chain";

// x = a[0] -> layer 0 -> a[1] -> layer 1 -> ... -> a[n] = y. The chain owns a[1] ... a[n-1].
//
// An activation that backward reads is kept only where its layer cannot make it again. All others,
// the gradients da and what is made again lie in one frame of the workspace, each for as long as it
// is read. Time is counted in calls of a layer: forward of layer 0, 1 ... n-1, backward of layer
// n-1 ... 1, 0; then, for an owner that wants y made again, remake of layer 0 ... n-1.
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
    for (std::size_t i = 0; i < layers_.size(); ++i)
      shapes_.push_back(layers_[i]->plan(ctx, shapes_[i], mode_of(i, mode)));
    planned_ = {x, shapes_.back(), mode};
    kept_.assign(layers_.size() + 1, {});
    remade_.assign(layers_.size() + 1, {});
    reads_ = {.x = false, .y = false};
    elements_.assign(layers_.size() + 1, Element::float32);
    if (mode == Mode::train)
      choose_what_is_kept();
    else
      choose_elements();
    list_buffers();
    place_and_count();
    return planned_.y;
  }

  Index workspace() const override { return workspace_; }
  Index kept() const override { return kept_floats_; }
  double flops() const override {
    double sum = 0;
    for (const LayerPtr& layer : layers_) sum += layer->flops();
    return sum;
  }

  Bf16Views bf16_views() const override {
    return {layers_.front()->bf16_views().x, layers_.back()->bf16_views().y};
  }

  void forward(const Context& ctx, View y, ConstView x, Mode mode) override {
    planned_.check_forward(kName, y, x, mode, bf16_views());
    WorkspaceFrame frame(ctx.workspace);
    ConstView in = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      frame.resize(floats_at(buffers_, i));
      View out = y;
      if (i + 1 < layers_.size())
        out = kept_[i + 1] ? kept_[i + 1]->keep(ctx.workspace)
                           : in_frame(frame, What::activation, i + 1, i);
      layers_[i]->forward(ctx, out, in, mode_of(i, mode));
      in = out;
    }
  }

  void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                Write write) override {
    planned_.check_backward(kName, dx, dy, y, x);
    require(frozen_ == 0 || dx.data == nullptr, "[{}] a frozen part gives no gradient", kName);
    WorkspaceFrame frame(ctx.workspace);
    ConstView dout = dy;
    for (std::size_t i = layers_.size(); i-- > frozen_;) {
      const std::size_t now = backward_of(i);
      frame.resize(floats_at(buffers_, now));
      const auto a = [&](std::size_t k) { return activation(ctx, frame, k, now, x, y); };
      for (std::size_t k = 1; k < layers_.size(); ++k)
        if (remade_[k] && remade_[k]->first == now)
          layers_[k - 1]->remake(ctx, in_frame(frame, What::activation, k, now), a(k - 1));
      const bool first = i == frozen_;
      const View din = first ? dx : in_frame(frame, What::gradient, i, now);
      layers_[i]->backward(ctx, din, dout, a(i), a(i + 1), first ? write : Write::overwrite);
      dout = din;
      if (kept_[i + 1]) kept_[i + 1]->let_go(ctx.workspace);
    }
    if (kept_[frozen_]) kept_[frozen_]->let_go(ctx.workspace);
  }

  Reads backward_reads() const override { return reads_; }
  Remake remake_from() const override {
    const auto first = first_to_remake();
    if (!first) return Remake::no;
    return *first == 0 ? layers_[0]->remake_from() : Remake::from_kept;
  }
  Index remake_workspace() const override { return remake_workspace_; }

  void remake(const Context& ctx, View y, ConstView x) override {
    const auto first = first_to_remake();
    require(first.has_value(), "[{}] expected a part that can be made again", kName);
    WorkspaceFrame frame(ctx.workspace);
    for (std::size_t i = *first; i < layers_.size(); ++i) {
      const std::size_t now = remake_of(i);
      frame.resize(floats_at(buffers_, now));
      const bool last = i + 1 == layers_.size();
      layers_[i]->remake(ctx, last ? y : in_frame(frame, What::activation, i + 1, now),
                         activation(ctx, frame, i, now, x, y));
    }
  }

  std::span<const LayerPtr> parts() const override { return layers_; }

  // An activation is counted where it is written.
  LayerDescription describe() const override {
    LayerDescription chain{.kind = kName, .name = name(), .x = planned_.x, .y = planned_.y};
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      chain.parts.push_back(layers_[i]->describe());
      if (kept_[i + 1])
        keep_output(chain.parts[i], kept_[i + 1]->floats() * static_cast<Index>(sizeof(float)));
    }
    return chain;
  }

 private:
  enum class What { activation, gradient };
  // What lies in a buffer of the frame: a[k] or da[k].
  struct Role {
    What what;
    std::size_t k;
  };

  Mode mode_of(std::size_t part, Mode mode) const { return part < frozen_ ? Mode::eval : mode; }
  std::size_t backward_of(std::size_t part) const { return 2 * layers_.size() - 1 - part; }
  std::size_t remake_of(std::size_t part) const { return 2 * layers_.size() + part; }

  // Backward of part k reads a[k] as x, that of part k - 1 as y; and a[k+1] may be made of it. What
  // none of them asks for is not there.
  void choose_what_is_kept() {
    const std::size_t n = layers_.size();
    for (std::size_t k = n; k-- > std::max<std::size_t>(1, frozen_);) {
      std::vector<std::size_t> moments;
      if (remade_[k + 1] && layers_[k]->remake_from() == Remake::from_x)
        moments.push_back(remade_[k + 1]->first);
      if (layers_[k]->backward_reads().x) moments.push_back(backward_of(k));
      const bool frozen = k == frozen_;
      if (!frozen && layers_[k - 1]->backward_reads().y) moments.push_back(backward_of(k - 1));
      if (moments.empty()) continue;
      if (frozen || layers_[k - 1]->remake_from() == Remake::no) {
        kept_[k].emplace().plan(shapes_[k]);
      } else {
        const auto [first, last] = std::ranges::minmax(moments);
        remade_[k] = Lifetime{.floats = shapes_[k].size(), .first = first, .last = last};
      }
    }
    reads_.y = frozen_ < n && layers_[n - 1]->backward_reads().y;
    reads_.x = frozen_ == 0 && (layers_[0]->backward_reads().x ||
                                (remade_[1] && layers_[0]->remake_from() == Remake::from_x));
  }

  // Of inference: an activation is bf16 where its writer and its reader know that.
  void choose_elements() {
    for (std::size_t k = 1; k < layers_.size(); ++k)
      if (layers_[k - 1]->bf16_views().y && layers_[k]->bf16_views().x)
        elements_[k] = Element::bf16;
  }

  void list_buffers() {
    roles_.clear();
    buffers_.clear();
    const auto add = [&](What what, std::size_t k, std::size_t first, std::size_t last) {
      roles_.push_back({what, k});
      const Index floats = shapes_[k].pixels() * words(elements_[k], shapes_[k].c);
      buffers_.push_back({.floats = floats, .first = first, .last = last});
    };
    const bool train = planned_.mode == Mode::train;
    const auto to_remake = first_to_remake();
    for (std::size_t k = 1; k < layers_.size(); ++k) {
      if (!kept_[k]) add(What::activation, k, k - 1, k);
      if (train && k > frozen_) add(What::gradient, k, backward_of(k), backward_of(k - 1));
      if (remade_[k]) add(What::activation, k, remade_[k]->first, remade_[k]->last);
      if (to_remake && k > *to_remake) add(What::activation, k, remake_of(k - 1), remake_of(k));
    }
  }

  // What each moment needs beside the frame: what is kept by then, and what the layer takes.
  std::vector<Index> beside_frame() {
    std::vector<Index> beside(3 * layers_.size(), 0);
    kept_floats_ = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& part = *layers_[i];
      if (kept_[i + 1]) kept_floats_ += kept_[i + 1]->floats();
      beside[i] = beside[backward_of(i)] = kept_floats_ + part.workspace();
      beside[remake_of(i)] = part.remake_workspace();
      kept_floats_ += part.kept();
      for (std::size_t k = 1; k < layers_.size(); ++k)
        if (remade_[k] && remade_[k]->first == backward_of(i))
          beside[backward_of(i)] =
              std::max(beside[backward_of(i)], kept_floats_ + layers_[k - 1]->remake_workspace());
    }
    return beside;
  }

  void place_and_count() {
    const std::vector<Index> beside = beside_frame();
    place_by_lifetime(buffers_, beside);
    workspace_ = remake_workspace_ = 0;
    for (std::size_t moment = 0; moment < remake_of(0); ++moment)
      workspace_ = std::max(workspace_, beside[moment] + floats_at(buffers_, moment));
    const auto first = first_to_remake();
    for (std::size_t i = first.value_or(layers_.size()); i < layers_.size(); ++i)
      remake_workspace_ =
          std::max(remake_workspace_, beside[remake_of(i)] + floats_at(buffers_, remake_of(i)));
  }

  // To have y again: from which part on it is made again, of what that one or the chain has kept,
  // or of x (part 0).
  std::optional<std::size_t> first_to_remake() const {
    if (planned_.mode == Mode::eval) return {};
    for (std::size_t i = layers_.size(); i-- > frozen_;) {
      const Remake from = layers_[i]->remake_from();
      if (from == Remake::no) return {};
      if (from == Remake::from_kept || i == 0 || kept_[i]) return i;
    }
    return {};
  }

  View in_frame(const WorkspaceFrame& frame, What what, std::size_t k, std::size_t now) const {
    for (std::size_t b = 0; b < buffers_.size(); ++b)
      if (roles_[b].what == what && roles_[b].k == k && buffers_[b].holds(now))
        return frame.view(buffers_[b].offset, shapes_[k], elements_[k]);
    return {nullptr, shapes_[k]};
  }
  // a[k] of x, y or wherever it lies now; without data where nobody reads it.
  ConstView activation(const Context& ctx, const WorkspaceFrame& frame, std::size_t k,
                       std::size_t now, ConstView x, ConstView y) const {
    if (k == 0) return x;
    if (k == layers_.size()) return y;
    if (kept_[k]) return kept_[k]->view(ctx.workspace);
    return in_frame(frame, What::activation, k, now);
  }

  std::vector<LayerPtr> layers_;
  std::size_t frozen_ = 0;  // of them, the first
  Planned planned_;
  Reads reads_;
  std::vector<Shape> shapes_;              // of a[0] ... a[n]
  std::vector<Element> elements_;          // of a[0] ... a[n]; of x and y whoever calls decides
  std::vector<std::optional<Kept>> kept_;  // of a[0] ... a[n], which are kept
  std::vector<std::optional<Lifetime>> remade_;  // of a[0] ... a[n], which are made again, and when
  std::vector<Lifetime> buffers_;                // of the frame
  std::vector<Role> roles_;                      // of the buffers
  Index workspace_ = 0, remake_workspace_ = 0, kept_floats_ = 0;
};

}  // namespace

LayerPtr chain(std::vector<LayerPtr> layers) {
  return std::make_unique<Chain>(std::move(layers));
}

}  // namespace twinage
