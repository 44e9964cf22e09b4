// NVIDIA's matrix product, to compare with. The library is loaded when it is first used.
#include "kernels/check.h"
#include "kernels/matmul/matmul.h"
#include "kernels/vendor.h"

#if TWINAGE_CUDA && __has_include(<cublas_v2.h>)
#include <array>

#include <cublas_v2.h>

#include "core/shared_library.h"

namespace twinage::vendor {
namespace {

struct Cublas {
  SharedLibrary library{"cublas", std::array{"libcublas.so." + std::to_string(CUBLAS_VER_MAJOR),
                                             std::string("libcublas.so")}};
  decltype(&cublasGetStatusString) status_string = nullptr;
  decltype(&cublasCreate_v2) create = nullptr;
  decltype(&cublasSetStream_v2) set_stream = nullptr;
  cublasStatus_t (*gemm)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                         const void*, const void*, cudaDataType, int, const void*, cudaDataType,
                         int, const void*, void*, cudaDataType, int, cublasComputeType_t,
                         cublasGemmAlgo_t) = nullptr;
  cublasHandle_t handle = nullptr;

  Cublas() {
    library.find(status_string, "cublasGetStatusString");
    library.find(create, "cublasCreate_v2");
    library.find(set_stream, "cublasSetStream_v2");
    library.find(gemm, "cublasGemmEx");
    check(create(&handle), "cublasCreate");
  }
  void check(cublasStatus_t status, const char* call) const {
    require(status == CUBLAS_STATUS_SUCCESS, "[cublas] {} failed: {}", call, status_string(status));
  }
};

const Cublas& cublas() {
  static const Cublas loaded;
  return loaded;
}

cublasComputeType_t compute_type(Math math) {
  switch (math) {
    case Math::tf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case Math::bf16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
    case Math::fp32:
      return CUBLAS_COMPUTE_32F;
  }
  fail("[cublas] unknown arithmetic {}", static_cast<int>(math));
}

cublasOperation_t operation(Transpose transpose) {
  return transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
}

}  // namespace

std::string cublas_problem() {
  try {
    cublas();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

Index matmul_workspace(const Context&, Index, Index, Index) {
  return 0;  // cuBLAS has memory of its own
}

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write) {
  const auto size = [](Index i) { return static_cast<int>(i); };
  const Index K = transpose_a == Transpose::yes ? a.shape.n : a.shape.c;
  if (c.shape.size() == 0) return;
  const float one = 1, before = write == Write::accumulate ? 1.0F : 0.0F;
  const Cublas& lib = cublas();
  lib.check(lib.set_stream(lib.handle, static_cast<cudaStream_t>(ctx.stream)), "cublasSetStream");
  // cuBLAS counts by columns: what it sees in our rows is the transpose of each matrix, and the
  // transpose of a product is the product of the transposes in the other order.
  lib.check(lib.gemm(lib.handle, operation(transpose_b), operation(transpose_a), size(c.shape.c),
                     size(c.shape.n), size(K), &one, b.data, CUDA_R_32F, size(b.ld), a.data,
                     CUDA_R_32F, size(a.ld), &before, c.data, CUDA_R_32F, size(c.ld),
                     compute_type(ctx.math), CUBLAS_GEMM_DEFAULT),
            "cublasGemmEx");
}

}  // namespace twinage::vendor

#else

namespace twinage::vendor {

std::string cublas_problem() {
  return "[cublas] this build has none: CUDA and cublas_v2.h were not there when it was made";
}
Index matmul_workspace(const Context&, Index, Index, Index) {
  fail("{}", cublas_problem());
}
void matmul(const Context&, View, ConstView, Transpose, ConstView, Transpose, Write) {
  fail("{}", cublas_problem());
}

}  // namespace twinage::vendor
#endif
