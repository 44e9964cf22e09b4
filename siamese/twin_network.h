// The Siamese network (Jeong et al. 2018, section 2.2): one tower, so that both images of a pair
// share one set of weights; the images of all pairs are stacked along N and run through it once.
// (Consequence: batch-norm statistics are formed over both halves together.)
//
//   images (N, S, S, 3) -> InceptionV3 -> f (N, features)
//     -> embedding z = f W^T + b  (N, width)       compared by Euclidean distance
//     -> gender logits            (N, 2)           0 = male, 1 = female (UTKFace's convention)
#pragma once
#include <vector>

#include "layers/backbones/backbone.h"
#include "layers/layer.h"
#include "layers/parameter_arena.h"

namespace twinage {

// What the gender head says, given P(gender = 1).
inline bool says_female(float probability) {
  return probability >= 0.5F;
}

class TwinNetwork {
 public:
  TwinNetwork(const Preset& preset, Index embedding_width = 128);

  // Allocates what forward (and in Mode::train, backward) keep for batches of exactly `batch`
  // images, and moves the parameters to the context's device. May be called again for another
  // size, mode or device.
  void plan(const Context& ctx, Index batch, Mode mode);
  Index workspace() const;  // scratch floats, after plan()
  Index activation_bytes() const;
  double flops() const;  // of one forward pass over the batch

  struct Outputs {
    ConstView z;       // matrix(N, embedding width)
    ConstView gender;  // logits, matrix(N, 2)
  };
  // The outputs stay valid until the next call.
  Outputs forward(const Context& ctx, ConstView images, Mode mode);
  // After forward in Mode::train on the same images: accumulates every parameter's gradient.
  void backward(const Context& ctx, ConstView images, ConstView dz, ConstView dgender);

  std::vector<Parameter*> parameters();
  void zero_gradients(const Context& ctx);
  // Moves all parameters into one block of the device's memory (plan() does so too).
  ParameterArena& place_on(Device device);
  Index embedding_width() const { return embedding_width_; }
  const Preset& preset() const { return preset_; }

 private:
  Preset preset_;
  Index embedding_width_, workspace_ = 0;
  Index tower_features_ = 0;
  LayerPtr tower_, embedding_, gender_;
  ParameterArena arena_;
  Tensor features_, z_, logits_;
};

}  // namespace twinage
