// What a network is made of, part by part: what `twinage info --layers` prints, and the one way for
// others (a writer of another format, a plan of memory) to read a network. Sums over the parts are
// those of Layer: flops(), activation_bytes(), parameters().
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"
#include "kernels/conv2d/conv2d.h"
#include "layers/layer.h"

namespace twinage {

struct LayerDescription {
  struct Option {
    std::string name;
    double value = 0;
  };

  // The function of layers.h that made it. "chain": the parts one after the other, each one's y the
  // next one's x. "concat": the parts side by side on the same x, their ys joined along the
  // channels. "dense": the first part on x, every other on the ys of all before it, joined.
  // "split": as concat, but each part on channels of x of its own, in their order. Others have no
  // parts.
  std::string kind{};
  std::string name{};  // torchvision's; a part without a name has that of the block it is in
  // kernel_h, kernel_w, stride, pad_h, pad_w (convolutions, pools), epsilon and momentum (batch
  // norm), rate (dropout), radius (l2_normalize), stages, bins and range (soft_stagewise)
  std::vector<Option> options{};
  Shape x{}, y{};                              // as planned
  std::vector<const Parameter*> parameters{};  // its own, without the parts', in their order
  double flops = 0;                            // its own, of one forward pass
  // Kept from forward to backward: what the layer itself keeps, and its y where that is kept.
  Index activation_bytes = 0;
  std::vector<LayerDescription> parts{};

  // Throws Error when there is no option of this name.
  double option(std::string_view wanted) const;
  bool has_option(std::string_view wanted) const;
};

// Calls f(part) for the description itself and all its parts, in the order of forward.
template <class F>
void for_each_part(const LayerDescription& whole, F&& f) {
  f(whole);
  for (const LayerDescription& part : whole.parts) for_each_part(part, f);
}

// Counts y's bytes where y comes from: a chain's y is its last part's.
void keep_output(LayerDescription& part, Index bytes);

// w: the filter, K R S C.
std::vector<LayerDescription::Option> options_of(Shape w, Conv2d conv);

}  // namespace twinage
