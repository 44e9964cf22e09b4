#include "benchmarks/step_parts.h"

#include "core/error.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/matmul/matmul.h"
#include "kernels/pool/pool.h"
#include "layers/description.h"
#include "train/model/face_input.h"

namespace twinage::bench {
namespace {

double count_of(Shape s) {
  return static_cast<double>(s.size());
}
double bytes_of(Shape s) {
  return sizeof(float) * count_of(s);
}

std::string text_of(Shape x) {
  return fmt::format("{}x{}x{}x{}", x.n, x.h, x.w, x.c);
}

// A number for each channel, four times.
struct PerChannel {
  Tensor mean, variance, gamma, beta;
  explicit PerChannel(Index channels)
      : mean(vector(channels)),
        variance(vector(channels)),
        gamma(vector(channels)),
        beta(vector(channels)) {
    variance.fill(1);
    gamma.fill(1);
  }
};

class Parts {
 public:
  void add(Part part) {
    for (Part& known : all_)
      if (known.kind == part.kind && known.what == part.what) {
        ++known.count;
        return;
      }
    all_.push_back(std::move(part));
  }
  std::vector<Part> take() { return std::move(all_); }

 private:
  std::vector<Part> all_;
};

Operand from_memory(Shape s, std::uint64_t seed) {
  return {From::memory, s, seed};
}

void add_convolution(Parts& parts, const LayerDescription& layer, bool first) {
  const Shape x = layer.x, y = layer.y, w = layer.parameters.at(0)->value.shape();
  const Conv2d conv{static_cast<Index>(layer.option("stride")),
                    static_cast<Index>(layer.option("pad_h")),
                    static_cast<Index>(layer.option("pad_w"))};
  const std::string what =
      fmt::format("{} -> {}, {}x{}/{}", text_of(x), w.n, w.h, w.w, conv.stride);
  const auto add = [&](const char* kind, auto pass) {
    parts.add({.kind = kind,
               .what = what,
               .flops = layer.flops,
               .bytes = bytes_of(x) + bytes_of(w) + bytes_of(y),
               .make = [=](const Context& ctx) -> std::function<void()> {
                 return [=, &ctx, xs = from_memory(x, 1), ys = from_memory(y, 2),
                         ws = Operand(From::cache, w, 3)] {
                   pass(ctx, ys.next(), xs.next(), ws.next());
                 };
               }});
  };
  add("convolution forward", [=, p = std::make_shared<PerChannel>(y.c)](const Context& ctx, View ys,
                                                                        View xs, View ws) {
    conv2d_forward(ctx, ys, xs, ws, conv, {.mean = p->mean.data(), .variance = p->variance.data()});
  });
  add("convolution filter gradient", [=](const Context& ctx, View ys, View xs, View ws) {
    conv2d_backward_filter(ctx, ws, ys, xs, conv, Write::overwrite);
  });
  if (first) return;  // images need no gradient
  add("convolution data gradient", [=](const Context& ctx, View ys, View xs, View ws) {
    conv2d_backward_data(ctx, xs, ys, ws, conv);
  });
}

void add_batch_norm(Parts& parts, Shape y) {
  // Its statistics are formed by the convolution.
  parts.add({.kind = "batch norm + ReLU",
             .what = text_of(y),
             .flops = 4 * count_of(y),
             .bytes = 2 * bytes_of(y),
             .make = [=](const Context& ctx) -> std::function<void()> {
               const auto p = std::make_shared<PerChannel>(y.c);
               return [=, &ctx, a = from_memory(y, 1), b = from_memory(y, 2)] {
                 batch_norm_apply(ctx, a.next(), b.next(), p->mean.data(), p->variance.data(),
                                  p->gamma.data(), p->beta.data(), {});
               };
             }});
  parts.add({.kind = "batch norm backward",
             .what = text_of(y),
             .flops = 13 * count_of(y),
             .bytes = 5 * bytes_of(y),
             .make = [=](const Context& ctx) -> std::function<void()> {
               const auto p = std::make_shared<PerChannel>(y.c),
                          d = std::make_shared<PerChannel>(y.c);
               return
                   [=, &ctx, a = from_memory(y, 1), b = from_memory(y, 2), c = from_memory(y, 3)] {
                     batch_norm_backward(ctx, a.next(), d->gamma.data(), d->beta.data(), b.next(),
                                         c.next(), p->mean.data(), p->variance.data(),
                                         p->gamma.data(), p->beta.data(), {});
                   };
             }});
}

void add_pool(Parts& parts, const LayerDescription& layer) {
  const Shape x = layer.x, y = layer.y;
  const std::string name = layer.kind == "max_pool"       ? "max pool"
                           : layer.kind == "average_pool" ? "average pool"
                                                          : "global average pool";
  const bool is_max = layer.kind == "max_pool", is_global = layer.kind == "global_average_pool";
  Pool pool;
  if (!is_global)
    pool = {static_cast<Index>(layer.option("kernel_h")),
            static_cast<Index>(layer.option("stride")), static_cast<Index>(layer.option("pad_h"))};
  const double taps =
      is_global ? count_of(x) : static_cast<double>(pool.window * pool.window) * count_of(y);
  parts.add({.kind = name,
             .what = text_of(x),
             .flops = taps,
             .bytes = bytes_of(x) + bytes_of(y),
             .make = [=](const Context& ctx) -> std::function<void()> {
               return [=, &ctx, xs = from_memory(x, 1), ys = from_memory(y, 2)] {
                 if (is_max) return max_pool_forward(ctx, ys.next(), xs.next(), pool);
                 if (is_global) return global_average_pool_forward(ctx, ys.next(), xs.next());
                 average_pool_forward(ctx, ys.next(), xs.next(), pool);
               };
             }});
  parts.add({.kind = name + " backward",
             .what = text_of(x),
             .flops = taps,
             .bytes = (is_max ? 2 : 1) * (bytes_of(x) + bytes_of(y)),
             .make = [=](const Context& ctx) -> std::function<void()> {
               return [=, &ctx, xs = from_memory(x, 1), ys = from_memory(y, 2),
                       dxs = from_memory(x, 3), dys = from_memory(y, 4)] {
                 if (is_max)
                   return max_pool_backward(ctx, dxs.next(), dys.next(), xs.next(), ys.next(),
                                            pool);
                 if (is_global) return global_average_pool_backward(ctx, dxs.next(), dys.next());
                 average_pool_backward(ctx, dxs.next(), dys.next(), pool);
               };
             }});
}

void add_linear(Parts& parts, const LayerDescription& layer) {
  const Index batch = layer.x.n, in = layer.x.c, out = layer.y.c;
  const Shape x = matrix(batch, in), y = matrix(batch, out), w = matrix(out, in);
  parts.add({.kind = "linear, forward and backward",
             .what = fmt::format("{}x{} -> {}", batch, in, out),
             .flops = 3 * layer.flops,
             .bytes = 3 * (bytes_of(x) + bytes_of(y) + bytes_of(w)),
             .make = [=](const Context& ctx) -> std::function<void()> {
               return [=, &ctx, xs = from_memory(x, 1), ys = from_memory(y, 2),
                       ws = from_memory(w, 3)] {
                 matmul(ctx, ys.next(), xs.next(), Transpose::no, ws.next(), Transpose::yes);
                 matmul(ctx, xs.next(), ys.next(), Transpose::no, ws.next(), Transpose::no);
                 matmul(ctx, ws.next(), ys.next(), Transpose::yes, xs.next(), Transpose::no);
               };
             }});
}

// What belongs to no layer.
void add_around(Parts& parts, WholeStep& whole) {
  const double weights = bytes_of(whole.network.place_on(Device::cpu).values().shape());
  const Shape images = whole.images();
  // Of a value: where a pixel lies (14 operations for three values), two by two weighted (9), grey
  // and colour (9).
  constexpr double kFlopsOfValue = 22;
  const auto batch = images.n;
  const auto input =
      std::make_shared<FaceInput>(whole.engine, batch, whole.network.preset().load, images.h);
  parts.add({.kind = "images of bytes",
             .what = text_of(images),
             .flops = kFlopsOfValue * count_of(images),
             .bytes = static_cast<double>(whole.batch.pixels.size()) + bytes_of(images),
             .make = [input, &whole](const Context&) -> std::function<void()> {
               input->send(whole.batch.pixels, whole.batch.variations);
               input->receive();
               return [input] { input->normalize(); };
             }});
  const auto width = static_cast<double>(whole.network.width(Task::embedding));
  const auto faces = static_cast<double>(batch);
  parts.add({.kind = "losses",
             .what = fmt::format("{} faces", batch),
             .flops = 2 * 3 * width * faces * faces / 2,
             .bytes = 2 * sizeof(float) * width * faces,
             .make = [input, &whole](const Context& ctx) -> std::function<void()> {
               const auto outputs = whole.network.forward(ctx, input->images(), Mode::train);
               return [&ctx, &whole, outputs] { whole.objective.compute(ctx, outputs); };
             }});
  parts.add({.kind = "gradients zeroed",
             .what = "all weights",
             .flops = 0,
             .bytes = weights,
             .make = [&whole](const Context& ctx) -> std::function<void()> {
               return [&ctx, &whole] { whole.network.zero_gradients(ctx); };
             }});
  parts.add({.kind = "ADADELTA",
             .what = "all weights",
             .flops = 14 * weights / sizeof(float),
             .bytes = 7 * weights,
             .make = [&whole](const Context& ctx) -> std::function<void()> {
               return [&ctx, &whole] { whole.optimizer.step(ctx, WholeStep::kFactor); };
             }});
}

}  // namespace

std::vector<Part> parts_of(WholeStep& whole) {
  Parts parts;
  bool first = true;
  for_each_part(whole.network.describe(), [&](const LayerDescription& layer) {
    const std::string& kind = layer.kind;
    if (kind == "chain" || kind == "concat" || kind == "heads") return;
    if (kind == "conv_bn_relu") {
      add_convolution(parts, layer, std::exchange(first, false));
      return add_batch_norm(parts, layer.y);
    }
    if (kind.ends_with("_pool")) return add_pool(parts, layer);
    if (kind == "linear") return add_linear(parts, layer);
    fail("[roofline] expected a tower of Inception's, got a layer {}", kind);
  });
  add_around(parts, whole);
  return parts.take();
}

}  // namespace twinage::bench
