#include "kernels/distance/distance_isa.h"

#include "core/simd.h"

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

using V = Vec<TWINAGE_VECTOR_FLOATS>;

TWINAGE_INLINE float sum_of_lanes(V::Value v) {
  float sum = 0;
  for (int i = 0; i < V::width; ++i) sum += v[i];
  return sum;
}

// kA rows of a against kB rows of b: a vector of a row is loaded once for all it meets.
template <int kA, int kB>
TWINAGE_INLINE void block(float* d, Index d_ld, const float* a, Index a_ld, const float* b,
                          Index b_ld, Index width) {
  V::Value sum[kA][kB] = {};
  Index k = 0;
  for (; k + V::width <= width; k += V::width) {
    V::Value row[kA];
    TWINAGE_UNROLL
    for (int i = 0; i < kA; ++i) row[i] = V::load(a + i * a_ld + k);
    TWINAGE_UNROLL
    for (int j = 0; j < kB; ++j) {
      const V::Value other = V::load(b + j * b_ld + k);
      TWINAGE_UNROLL
      for (int i = 0; i < kA; ++i) {
        const V::Value difference = row[i] - other;
        sum[i][j] += difference * difference;
      }
    }
  }
  for (int i = 0; i < kA; ++i)
    for (int j = 0; j < kB; ++j) {
      float total = sum_of_lanes(sum[i][j]);
      for (Index rest = k; rest < width; ++rest) {
        const float difference = a[i * a_ld + rest] - b[j * b_ld + rest];
        total += difference * difference;
      }
      d[i * d_ld + j] = __builtin_sqrtf(total);
    }
}

template <int kA>
TWINAGE_INLINE void rows(float* d, Index d_ld, const float* a, Index a_ld, const float* b,
                         Index b_ld, Index b_rows, Index width) {
  Index j = 0;
  for (; j + 4 <= b_rows; j += 4) block<kA, 4>(d + j, d_ld, a, a_ld, b + j * b_ld, b_ld, width);
  for (; j < b_rows; ++j) block<kA, 1>(d + j, d_ld, a, a_ld, b + j * b_ld, b_ld, width);
}

void tile(float* d, Index d_ld, const float* a, Index a_ld, Index a_rows, const float* b,
          Index b_ld, Index b_rows, Index width) {
  Index i = 0;
  for (; i + 2 <= a_rows; i += 2)
    rows<2>(d + i * d_ld, d_ld, a + i * a_ld, a_ld, b, b_ld, b_rows, width);
  for (; i < a_rows; ++i) rows<1>(d + i * d_ld, d_ld, a + i * a_ld, a_ld, b, b_ld, b_rows, width);
}

void pull(float* da, float* db, const float* a, const float* b, float factor, Index width) {
  each_vector(width, [=](auto v, Index k) {
    using W = decltype(v);
    const auto step = W::all(factor) * (W::load(a + k) - W::load(b + k));
    W::store(da + k, W::load(da + k) + step);
    W::store(db + k, W::load(db + k) - step);
  });
}

}  // namespace

const DistanceKernels kDistance = {tile, pull};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
