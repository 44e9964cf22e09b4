// NVIDIA's own libraries, which conv2d and matmul can be compared with (Context::vendor). They are
// loaded when they are first needed; a machine can do without.
#pragma once
#include <string>

namespace twinage::vendor {

// Why the library cannot be used here, in one line; empty when it can. Loads it.
std::string cudnn_problem();
std::string cublas_problem();

// The first of these that there is.
inline std::string problem() {
  const std::string cudnn = cudnn_problem();
  return cudnn.empty() ? cublas_problem() : cudnn;
}

}  // namespace twinage::vendor
