// The multi-class N-pair loss of a whole batch of faces, given the inner products S of every two
// embeddings (Sohn 2016, "Improved Deep Metric Learning with Multi-class N-pair Loss Objective"):
// for an anchor a and a positive p, against all the negatives n of a at once,
//
//   l(a, p) = log(1 + sum over n of exp(S(a, n) - S(a, p)))
//   L = mean over all (a, p) of l  +  lambda / 2 * mean over the faces of S(a, a)
//
// It knows no distance: nothing but the second term, the squared length of z, keeps products from
// growing (the paper asks for such a term; its half and lambda = 0.002 are TensorFlow's N-pair
// loss).
//
// The paper draws N pairs, each of a class of its own, so that an anchor has one positive, and for
// negatives the others' positives. Batches here are drawn without looking at ages: p is every other
// face with a gap <= tau years (the relaxed class of pair_loss.h) and n every face beyond [ours].
//
// An anchor without negatives has l = 0; without any (a, p) there is only the second term.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

struct NPair {
  float tau = 3.0F;  // years
  static constexpr float kLambda = 0.002F;
};

// loss[batch] = what each anchor adds to the loss, which is their sum
// ds          = weight * (d loss / d S + its transpose), which times z is weight * d loss / d z
// s, ds are matrix(batch, batch), age[batch] in years; all memory of the device. A NaN makes the
// loss of its anchors NaN. Throws Error for tau < 0, shapes that do not fit, no face, or more than
// kMostBatchFaces.
void n_pair_loss(const Context& ctx, float* loss, View ds, ConstView s, const float* age,
                 float weight, const NPair& options);
Index n_pair_workspace(const Context& ctx, Index batch);  // floats

TWINAGE_BACKENDS(n_pair_loss)
TWINAGE_DEVICE_BACKENDS(n_pair_workspace)

}  // namespace twinage
