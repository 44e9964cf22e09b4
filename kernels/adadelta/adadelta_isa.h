// The arithmetic of adadelta_cpu.cpp, one copy for each instruction set.
#pragma once
#include "kernels/adadelta/adadelta.h"

namespace twinage {

using AdadeltaKernel = void (*)(float* x, float* mean_square_gradient, float* mean_square_step,
                                const float* gradient, Index count, const Adadelta& options,
                                float factor);

namespace baseline {
extern const AdadeltaKernel kAdadelta;
}
namespace avx2 {
extern const AdadeltaKernel kAdadelta;
}
namespace avx512 {
extern const AdadeltaKernel kAdadelta;
}

}  // namespace twinage
