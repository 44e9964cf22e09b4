#include "kernels/simt/async_copies.h"

#include <cstring>

namespace gpu {

void AsyncCopy::perform() const {
  std::memcpy(to, from, bytes - zeros);
  std::memset(to + bytes - zeros, 0, zeros);
}

std::vector<AsyncCopy> AsyncCopies::take_all_but(std::size_t count) {
  if (batches_.size() <= count) return {};
  const std::size_t done = batches_.size() - count, end = batches_[done - 1];
  const auto split = copies_.begin() + static_cast<std::ptrdiff_t>(end);
  std::vector<AsyncCopy> taken(copies_.begin(), split);
  copies_.erase(copies_.begin(), split);
  batches_.erase(batches_.begin(), batches_.begin() + static_cast<std::ptrdiff_t>(done));
  for (std::size_t& batch : batches_) batch -= end;
  return taken;
}

}  // namespace gpu
