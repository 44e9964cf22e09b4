// The definition, in plain loops with double accumulators.
#include "kernels/matmul/matmul.h"
#include "kernels/product/operand_naive.h"

namespace twinage::naive {

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write) {
  const bool ta = transpose_a == Transpose::yes, tb = transpose_b == Transpose::yes;
  const Index K = ta ? a.shape.n : a.shape.c;
  for (Index i = 0; i < c.shape.n; ++i)
    for (Index j = 0; j < c.shape.c; ++j) {
      double sum = 0;
      for (Index l = 0; l < K; ++l)
        sum += operand(ctx, ta ? a.pixel(l)[i] : a.pixel(i)[l]) *
               operand(ctx, tb ? b.pixel(j)[l] : b.pixel(l)[j]);
      float& value = c.pixel(i)[j];
      value = static_cast<float>(write == Write::accumulate ? value + sum : sum);
    }
}

}  // namespace twinage::naive
