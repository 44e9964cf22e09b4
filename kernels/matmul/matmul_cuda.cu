// A matrix product is the plain case of the kernel in product_cuda.h: both operands lie in memory
// as matrices, and transposition only decides which way their lines run.
#include "kernels/matmul/matmul.h"
#include "kernels/product/product_cuda.h"

namespace twinage::TWINAGE_GPU_NAMESPACE {
namespace {

template <Major major>
MatrixSource<major> source_of(ConstView v) {
  return {v.data, v.ld, static_cast<int>(v.shape.n), static_cast<int>(v.shape.c),
          float4_allowed(v.data, v.ld, v.shape.c)};
}

template <Major A, Major B>
void multiply(const Context& ctx, const ProductPlan& plan, View c, ConstView a, ConstView b,
              Write write) {
  const bool accumulate = write == Write::accumulate;
  WorkspaceScope scope(ctx.workspace);
  float* partials = plan.splits > 1 ? scope.floats(plan.partial_floats()) : nullptr;
  Epilogue epilogue;
  MatrixTarget target{c.data, c.ld, 0};
  if (plan.splits > 1)
    target = {partials, plan.N, Index{plan.M} * plan.N};
  else
    epilogue.accumulate = accumulate;
  epilogue.vector = float4_allowed(target.data, target.ld, plan.N);
  launch_product(ctx, "matmul", plan, source_of<A>(a), source_of<B>(b), target, epilogue);
  if (plan.splits > 1) sum_partials(ctx, "matmul", plan, c.data, c.ld, partials, accumulate);
}

}  // namespace

Index matmul_workspace(const Context& ctx, Index M, Index N, Index K) {
  return workspace_floats(plan_product(ctx.math, M, N, K, true).partial_floats());
}

void matmul(const Context& ctx, View c, ConstView a, Transpose transpose_a, ConstView b,
            Transpose transpose_b, Write write) {
  const bool ta = transpose_a == Transpose::yes, tb = transpose_b == Transpose::yes;
  const Index M = c.shape.n, N = c.shape.c, K = ta ? a.shape.n : a.shape.c;
  if (M == 0 || N == 0) return;
  const ProductPlan plan = plan_product(ctx.math, M, N, K, true);
  if (ta)
    tb ? multiply<Major::outer, Major::depth>(ctx, plan, c, a, b, write)
       : multiply<Major::outer, Major::outer>(ctx, plan, c, a, b, write);
  else
    tb ? multiply<Major::depth, Major::depth>(ctx, plan, c, a, b, write)
       : multiply<Major::depth, Major::outer>(ctx, plan, c, a, b, write);
}

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
