#include "kernels/batch_loss/batch_loss.h"

#include "core/error.h"

namespace twinage {

void require_batch(const char* operation, Index batch) {
  require(batch >= 1 && batch <= kMostBatchFaces, "[{}] expected a batch of 1 to {} faces, got {}",
          operation, kMostBatchFaces, batch);
}

}  // namespace twinage
