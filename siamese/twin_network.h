// The Siamese network (Jeong et al. 2018, section 2.2): one tower, so that both images of a pair
// share one set of weights; the images of all pairs are stacked along N and run through it once.
// (Consequence: batch-norm statistics are formed over both halves together.)
//
//   images (N, S, S, 3) -> InceptionV3 -> f (N, features)
//     -> embedding z = f W^T + b  (N, width)       compared by Euclidean distance
//     -> gender logits            (N, 2)           0 = male, 1 = female (UTKFace's convention)
//     -> age logits               (N, 101)         where asked for: not the paper's
//
// Each head is a linear layer on the tower's features, unless its loss asks for another; which
// heads there are is a list. Where asked for, z is brought onto a sphere [ours].
#pragma once
#include <string_view>
#include <vector>

#include "layers/backbones/backbone.h"
#include "layers/description.h"
#include "layers/layer.h"
#include "layers/parameter_arena.h"
#include "siamese/head_form.h"

namespace twinage {

// What the gender head says, given P(gender = 1).
inline bool says_female(float probability) {
  return probability >= 0.5F;
}

class TwinNetwork {
 public:
  // With the heads' usual losses. radius: of the sphere that embeddings are brought onto; 0: they
  // are left where they are.
  explicit TwinNetwork(const Preset& preset, Index embedding_width = 128,
                       const Heads& heads = kPaperHeads, double radius = 0);
  // forms: as head_forms() (siamese/objective.h) has them. freeze: which parts of the tower
  // training leaves as they are (layers/backbones/backbone.h).
  TwinNetwork(const Preset& preset, const Heads& heads, const ByTask<HeadForm>& forms,
              double radius = 0, std::string_view freeze = "none");

  // Plans forward (and in Mode::train, backward) for batches of exactly `batch` images, allocates
  // the outputs, and moves the parameters to the context's device. May be called again for another
  // size, mode or device.
  void plan(const Context& ctx, Index batch, Mode mode);
  // After plan(), floats of the workspace: in use at most, and of them those that are kept from the
  // end of forward to backward.
  Index workspace() const { return workspace_; }
  Index kept() const { return kept_; }
  // For many forward passes of inference between which no parameter changes, after plan(): see
  // Layer::prepare. It lasts until the workspace is planned anew (Engine::plan). On device cuda it
  // is under way when this returns, as forward is.
  void prepare(const Context& ctx);
  Index output_bytes() const;      // what the features and the heads' outputs take, which stay
  Index activation_bytes() const;  // kept and outputs
  double flops() const;            // of one forward pass over the batch

  // To be called before the forward pass of every step of training: see Layer::begin_step.
  void begin_step(std::uint64_t seed, std::uint64_t step);
  // A matrix(N, width) for each head; of a task without one: no data.
  using Outputs = ByTask<ConstView>;
  // The outputs stay valid until the next call.
  Outputs forward(const Context& ctx, ConstView images, Mode mode);
  // After forward in Mode::train on the same images: accumulates every parameter's gradient.
  // gradients: d loss / d outputs of every head.
  void backward(const Context& ctx, ConstView images, const ByTask<ConstView>& gradients);

  // After plan(). A "chain" of the tower and of "heads": parts side by side on the features, each
  // with an output of its own; y counts the numbers of all.
  LayerDescription describe() const;

  std::vector<Parameter*> parameters();        // the tower's first
  std::vector<Parameter*> tower_parameters();  // of them these
  void zero_gradients(const Context& ctx);
  // Moves all parameters into one block of the device's memory (plan() does so too).
  ParameterArena& place_on(Device device);
  bool has(Task task) const { return heads_[task].layer != nullptr; }
  const HeadForm& form(Task task) const { return heads_[task].form; }
  // Of its output, and of that once it is read; 0 without such a head.
  Index width(Task task) const { return has(task) ? form(task).outputs : 0; }
  Index said(Task task) const { return has(task) ? form(task).said() : 0; }
  const Preset& preset() const { return preset_; }

 private:
  struct Head {
    HeadForm form;
    LayerPtr layer;  // null: the network has none of this task
    Tensor output;
  };
  // Calls f(head, task) for those that there are, in the order of kTasks.
  template <class F>
  void for_each_head(F f) {
    for (const Task task : kTasks)
      if (has(task)) f(heads_[task], task);
  }
  // In the opposite order: forward's, since backward begins with the first head, and what was kept
  // last is read first.
  template <class F>
  void for_each_head_from_last(F f) {
    for (std::size_t i = kTasks.size(); i-- > 0;)
      if (has(kTasks[i])) f(heads_[kTasks[i]], kTasks[i]);
  }

  Preset preset_;
  Index workspace_ = 0, kept_ = 0;
  LayerPtr tower_;
  ByTask<Head> heads_;
  ParameterArena arena_;
  Tensor features_;
};

}  // namespace twinage
