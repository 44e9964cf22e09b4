#include "kernels/n_pair/n_pair.h"

#include "kernels/batch_loss/batch_loss.h"
#include "kernels/check.h"

namespace twinage {

void n_pair_loss(const Context& ctx, float* loss, View ds, ConstView s, const float* age,
                 float weight, const NPair& options) {
  const Index batch = s.shape.n;
  require_batch("n_pair", batch);
  require_shape("n_pair", "s", s, matrix(batch, batch));
  require_shape("n_pair", "ds", ds, s.shape);
  require(options.tau >= 0, "[n_pair] expected tau >= 0 years, got {}", options.tau);
  TWINAGE_DISPATCH(ctx, n_pair_loss, loss, ds, s, age, weight, options);
}

Index n_pair_workspace(const Context& ctx, Index batch) {
  TWINAGE_DISPATCH(ctx, n_pair_workspace, batch);
}

}  // namespace twinage
