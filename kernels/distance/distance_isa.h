// The arithmetic of distance_cpu.cpp, one copy for each instruction set.
#pragma once
#include "core/shape.h"

namespace twinage {

struct DistanceKernels {
  // d[i * d_ld + j] = || a[i] - b[j] || for all rows of a and b.
  void (*tile)(float* d, Index d_ld, const float* a, Index a_ld, Index a_rows, const float* b,
               Index b_ld, Index b_rows, Index width);
  // da += factor * (a - b), db -= factor * (a - b).
  void (*pull)(float* da, float* db, const float* a, const float* b, float factor, Index width);
};

namespace baseline {
extern const DistanceKernels kDistance;
}
namespace avx2 {
extern const DistanceKernels kDistance;
}
namespace avx512 {
extern const DistanceKernels kDistance;
}

}  // namespace twinage
