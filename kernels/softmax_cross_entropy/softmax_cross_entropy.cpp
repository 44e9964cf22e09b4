#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

#include "core/device_memory.h"
#include "kernels/check.h"

namespace twinage {
namespace {

void require_matrix(const char* operation, ConstView logits) {
  require_view(operation, "logits", logits);
  require(logits.shape.h == 1 && logits.shape.w == 1,
          "[{}] expected logits of shape (N, 1, 1, classes), got {}", operation, logits.shape);
}

}  // namespace

void softmax(const Context& ctx, View p, ConstView logits) {
  require_matrix("softmax", logits);
  require_shape("softmax", "p", p, logits.shape);
  TWINAGE_DISPATCH(ctx, softmax, p, logits);
}

void softmax_cross_entropy(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const std::int32_t* labels, float weight) {
  require_matrix("softmax_cross_entropy", logits);
  require_shape("softmax_cross_entropy", "dlogits", dlogits, logits.shape);
  for (Index n = 0; host_readable(ctx.device) && n < logits.shape.n; ++n)
    require(labels[n] < logits.shape.c,
            "[softmax_cross_entropy] expected labels below {} (below 0: absent), got {} in row {}",
            logits.shape.c, labels[n], n);
  TWINAGE_DISPATCH(ctx, softmax_cross_entropy, loss, dlogits, logits, labels, weight);
}

}  // namespace twinage
