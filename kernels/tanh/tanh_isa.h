// The arithmetic of tanh_cpu.cpp on runs of floats; one copy for each instruction set.
#pragma once
#include "core/shape.h"

namespace twinage {

struct TanhKernels {
  void (*forward)(float* y, const float* x, Index count);
  void (*backward)(float* dx, const float* dy, const float* y, Index count);
};

namespace baseline {
extern const TanhKernels kTanh;
}
namespace avx2 {
extern const TanhKernels kTanh;
}
namespace avx512 {
extern const TanhKernels kTanh;
}

}  // namespace twinage
