// Matrix product against OpenBLAS, over the 1 x 1 convolutions of a preset as products and the
// shapes of its heads.
#include "kernels/matmul/matmul.h"

#include <cblas.h>
#include <fmt/core.h>

#include "benchmarks/layers.h"
#include "benchmarks/measure.h"

using namespace twinage;
using namespace twinage::bench;

namespace {

struct Product {
  std::string label;
  Index M, N, K;
  Transpose a, b;
};

CBLAS_TRANSPOSE blas(Transpose t) {
  return t == Transpose::yes ? CblasTrans : CblasNoTrans;
}

Shape stored(Index rows, Index columns, Transpose t) {
  return t == Transpose::yes ? matrix(columns, rows) : matrix(rows, columns);
}

void measure_product(Report& report, const Options& options, const Product& p) {
  const std::string name = fmt::format("{}x{}x{}", p.M, p.N, p.K);
  if ((p.label + " " + name).find(options.filter) == std::string::npos) return;
  Context ctx;
  ctx.threads = options.threads;
  Workspace workspace(matmul_workspace(ctx, p.M, p.N, p.K));
  ctx.workspace = &workspace;
  Rotation a(stored(p.M, p.K, p.a), 1), b(stored(p.K, p.N, p.b), 2), c(matrix(p.M, p.N), 3);
  Rotation vendor_c(matrix(p.M, p.N), 4);
  const auto ours = [&](View to, View left, View right) { matmul(ctx, to, left, p.a, right, p.b); };
  const auto vendor = [&](View to, View left, View right) {
    cblas_sgemm(CblasRowMajor, blas(p.a), blas(p.b), static_cast<int>(p.M), static_cast<int>(p.N),
                static_cast<int>(p.K), 1, left.data, static_cast<int>(left.ld), right.data,
                static_cast<int>(right.ld), 0, to.data, static_cast<int>(to.ld));
  };
  const double flops = 2.0 * static_cast<double>(p.M * p.N * p.K);
  const double bytes = 4.0 * static_cast<double>(p.M * p.N + p.M * p.K + p.K * p.N);
  Timing vendor_time;
  if (options.vendor) {
    ours(c.first(), a.first(), b.first());
    vendor(vendor_c.first(), a.first(), b.first());
    require_close(name, c.first(), vendor_c.first(), 1e-4);
    vendor_time = measure(options, flops, [&] { vendor(vendor_c.next(), a.next(), b.first()); });
  }
  const Timing time = measure(options, flops, [&] { ours(c.next(), a.next(), b.first()); });
  report.add(p.label, name, flops, bytes, time, vendor_time, 1);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options =
      parse_options(argc, argv, "Matrix product against OpenBLAS", {"v3", "tiny"});
  openblas_set_num_threads(options.threads);
  Report report(options, "OpenBLAS");
  for (const Layer& layer : options.set == "v3" ? v3_layers() : tiny_layers()) {
    if (layer.w.h * layer.w.w > 1) continue;
    const Index pixels = layer.x.pixels(), C = layer.x.c, K = layer.w.n;
    measure_product(report, options, {"x w^T", pixels, K, C, Transpose::no, Transpose::yes});
    measure_product(report, options, {"dy w", pixels, C, K, Transpose::no, Transpose::no});
    measure_product(report, options, {"dy^T x", K, C, pixels, Transpose::yes, Transpose::no});
  }
}
