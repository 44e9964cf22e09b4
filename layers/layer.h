// Layer: an operation with parameters, or a composition of layers.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/context.h"
#include "core/random.h"
#include "core/tensor.h"

namespace twinage {

enum class Mode { train, eval };
struct LayerDescription;  // layers/description.h

// A named tensor of the model. Names are torchvision's ("Mixed_5b.branch1x1.conv.weight") so that
// published weights load by name.
struct Parameter {
  std::string name;
  Tensor value;
  Tensor grad;          // same shape; empty when not trained
  bool trained = true;  // false: running statistics, which the optimizer leaves alone
  // A weight whose sums go into a ReLU without a norm between: initial values are He's, whatever
  // the name.
  bool rectified = false;
};

// The order of calls: plan once, then any number of forward (train) -> backward, or forward (eval),
// with a workspace (core/workspace.h) of at least workspace() floats, the same one for both passes.
class Layer {
 public:
  Layer() = default;
  // A name of its own, which its parts do not have in front of theirs.
  explicit Layer(std::string name) : name_(std::move(name)) {}
  virtual ~Layer() = default;

  // Checks the shape, works out what forward and backward will take of the workspace, and returns
  // the shape of y. May be called again with another shape.
  virtual Shape plan(const Context& ctx, Shape x, Mode mode) = 0;

  // All that follows is known after plan().

  // Floats of the workspace that are in use at most in forward or backward, kept ones included.
  virtual Index workspace() const = 0;
  // Of them, those that stay from forward to backward; none for Mode::eval.
  virtual Index kept() const { return 0; }
  Index activation_bytes() const { return kept() * static_cast<Index>(sizeof(float)); }

  // Which of the forward pass's x and y backward reads. Of the other it gets the shape alone, a
  // view without data: whoever calls it need not have kept that.
  struct Reads {
    bool x = true, y = true;
  };
  virtual Reads backward_reads() const { return {}; }
  // What y can be made again from, in training, between forward and backward: the layer's
  // convolution is not done twice, normalising and pooling are. Then y is not kept, either, but
  // made again where it is read.
  enum class Remake { no, from_kept, from_x };
  virtual Remake remake_from() const { return Remake::no; }
  // y once more, the same bits. Unless remake_from() says from_x, x may be without data.
  virtual void remake(const Context& ctx, View y, ConstView x);
  virtual Index remake_workspace() const { return 0; }  // scratch floats

  // Of inference, after plan() for it: which of x and y may be bf16 views (core/view.h).
  struct Bf16Views {
    bool x = false, y = false;
  };
  virtual Bf16Views bf16_views() const { return {}; }

  // For many forward passes of inference with the same parameters: what each would make of them is
  // made once, by prepare() after plan(), in the front of the workspace, which whoever calls it has
  // to hold (core/workspace.h). The next plan() undoes it: after a change of parameters it has to
  // be called again. The results have the same bits.
  virtual void prepare(const Context& ctx);
  virtual Index prepared() const;  // floats that it keeps

  // Multiplications and additions of the convolutions and matrix products of one forward pass.
  // (All else is limited by memory and adds less than a hundredth.)
  virtual double flops() const = 0;

  // y is overwritten. mode must be the planned one.
  virtual void forward(const Context& ctx, View y, ConstView x, Mode mode) = 0;

  // dx = or += the gradient with respect to x; gradients of parameters are accumulated. x and y are
  // those of the forward pass, as far as backward_reads(). dx.data == nullptr: not wanted (the
  // first layer). Gives back what forward kept: one backward pass a forward pass.
  virtual void backward(const Context& ctx, View dx, ConstView dy, ConstView x, ConstView y,
                        Write write) = 0;

  // To be called before the forward pass of every step of training, after plan(): what is random
  // in a layer (dropout) is a function of these two and the layer's name. The backward pass belongs
  // to the same step.
  virtual void begin_step(std::uint64_t seed, std::uint64_t step) {
    for (const auto& part : parts()) part->begin_step(seed, step);
  }

  // The first `count` of a chain's parts stay as they are: they run as in Mode::eval in training,
  // too, their parameters are none of the trained ones, and backward ends above them, so that dx is
  // not to be asked for. To be called before plan() and before the parameters are gathered; throws
  // Error for a layer that is no chain of so many parts.
  virtual void freeze(Index count);

  // The layers that a composition is made of, in their order.
  virtual std::span<const std::unique_ptr<Layer>> parts() const { return {}; }

  // All parameters in a fixed order, valid as long as the layer.
  virtual std::vector<Parameter*> parameters();

  // Kind, options, shapes, parameters and costs of the layer and all its parts, after plan().
  virtual LayerDescription describe() const = 0;

  // Puts `prefix` and a dot in front of the names of the layer, its parts and their parameters.
  void prefix_names(const std::string& prefix);
  // torchvision's name; empty: none has been given.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

using LayerPtr = std::unique_ptr<Layer>;

}  // namespace twinage
