// Division by a number that stays the same for a whole launch. GPUs have no instruction that
// divides integers; a multiplication and a shift do it in 3 instead of about 20 instructions
// (Granlund and Montgomery 1994, "Division by invariant integers using multiplication").
#pragma once
#include <cstdint>

#include "kernels/simt/simt.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {

class FastDivide {
 public:
  explicit FastDivide(Index divisor) : divisor_(static_cast<std::uint32_t>(divisor)) {
    while ((std::uint64_t{1} << shift_) < divisor_) ++shift_;
    const std::uint64_t power = std::uint64_t{1} << 32;
    multiplier_ = static_cast<std::uint32_t>(
        power * ((std::uint64_t{1} << shift_) - divisor_) / divisor_ + 1);
  }

  // dividend: 0 ... 2^31 - 1.
  __device__ int quotient(int dividend) const {
    const auto n = static_cast<std::uint32_t>(dividend);
    const auto high = static_cast<std::uint32_t>((std::uint64_t{n} * multiplier_) >> 32);
    return static_cast<int>((high + n) >> shift_);
  }
  __device__ int remainder(int dividend, int quotient) const {
    return dividend - quotient * static_cast<int>(divisor_);
  }

 private:
  std::uint32_t divisor_, multiplier_, shift_ = 0;
};

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
