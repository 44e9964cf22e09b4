// Depthwise convolutions of preset mobilenet: forward, backward data, backward filter, and how near
// each comes to what memory allows. Bytes are the least that has to be moved (depthwise_conv2d.h);
// the bandwidth they are compared with is that of adding one array to another, measured beside each
// case in the same way (--cpu-time, too).
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include "benchmarks/measure.h"
#include "kernels/elementwise/elementwise.h"

using namespace twinage;
using namespace twinage::bench;

namespace {

struct Layer {
  int count;  // in the network
  Index side, channels, stride;
};

// 224 pixels: map, channels, stride.
const Layer kLayers[] = {{1, 112, 32, 1}, {1, 112, 64, 2}, {1, 56, 128, 1},
                         {1, 56, 128, 2}, {1, 28, 256, 1}, {1, 28, 256, 2},
                         {5, 14, 512, 1}, {1, 14, 512, 2}, {1, 7, 1024, 1}};
constexpr Index kBatch = 16;
constexpr const char* kPasses[] = {"forward", "backward data", "backward filter"};

struct Sum {
  double ms = 0, bytes = 0, least_ms = 0;
};

// Bytes a second of y += x on arrays beyond the caches.
double bandwidth(const Options& options) {
  constexpr Index kFloats = Index{12} << 20;  // 48 MB each
  static Tensor to(vector(kFloats)), from(vector(kFloats));
  Context ctx;
  ctx.threads = options.threads;
  const Timing time = measure(options, 1, [&] { add(ctx, to.view(), from.view()); });
  return 3.0 * sizeof(float) * kFloats / time.median_ms * 1e3;
}

void measure_layer(const Options& options, const Layer& layer, Sum (&sums)[3]) {
  const Conv2d conv{layer.stride, 1, 1};
  const Shape xs{kBatch, layer.side, layer.side, layer.channels}, ws{layer.channels, 3, 3, 1};
  const Shape ys = depthwise_conv2d_shape(xs, ws, conv);
  Context ctx;
  ctx.threads = options.threads;
  Workspace workspace(depthwise_conv2d_workspace(ctx, xs, ws, conv));
  ctx.workspace = &workspace;
  Rotation x(xs, 1), w(ws, 2), y(ys, 3);
  const double flops = 2.0 * 9 * static_cast<double>(ys.size());
  const double bytes = 4.0 * static_cast<double>(xs.size() + ys.size() + ws.size());
  const std::function<void()> calls[] = {
      [&] { depthwise_conv2d_forward(ctx, y.next(), x.next(), w.first(), conv); },
      [&] { depthwise_conv2d_backward_data(ctx, x.next(), y.next(), w.first(), conv); },
      [&] {
        depthwise_conv2d_backward_filter(ctx, w.first(), y.next(), x.next(), conv,
                                         Write::overwrite);
      }};
  const double peak = bandwidth(options);
  for (int pass = 0; pass < 3; ++pass) {
    const Timing time = measure(options, flops, calls[pass]);
    const double rate = bytes / time.median_ms * 1e3;
    fmt::print("{:15} {:3}x{:<3} {:4} channels /{}  {:8.3f} ms  {:3.0f} %  {:6.1f} GB/s  {:4.2f}\n",
               kPasses[pass], layer.side, layer.side, layer.channels, layer.stride, time.median_ms,
               time.spread * 100, rate * 1e-9, rate / peak);
    sums[pass].ms += layer.count * time.median_ms;
    sums[pass].bytes += layer.count * bytes;
    sums[pass].least_ms += layer.count * bytes / peak * 1e3;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv, "Depthwise convolution against memory", {"v3"});
  fmt::print("{} threads, batch {}; {:.1f} GB/s. Columns: ms, spread, GB/s, share of these\n",
             options.threads, kBatch, bandwidth(options) * 1e-9);
  Sum sums[3];
  for (const Layer& layer : kLayers) measure_layer(options, layer, sums);
  for (int pass = 0; pass < 3; ++pass)
    fmt::print("{:15} all of mobilenet's: {:.2f} ms, {:.1f} GB/s, {:.2f} of the bandwidth\n",
               kPasses[pass], sums[pass].ms, sums[pass].bytes / sums[pass].ms * 1e-6,
               sums[pass].least_ms / sums[pass].ms);
}
