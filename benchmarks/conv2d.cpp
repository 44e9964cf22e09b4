// Convolution against oneDNN over the layers of a preset: forward, backward data, backward filter.
//
// oneDNN chooses its own (blocked) layouts here, and moving data into them is not timed; our times
// contain everything, packing of filters too. So the comparison is in oneDNN's favour. With --math
// bf16, ours alone, beside bf16's peak.
#include "kernels/conv2d/conv2d.h"

#include <fmt/core.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

#include "benchmarks/layers.h"
#include "benchmarks/measure.h"
#include "core/error.h"

using namespace twinage;
using namespace twinage::bench;

namespace {

enum class Pass { forward, backward_data, backward_filter };

// One pass of one layer in oneDNN.
class Vendor {
 public:
  // plain: our layouts, to compare results; else whatever oneDNN likes best.
  Vendor(Pass pass, const Layer& layer, bool plain) : pass_(pass) {
    using namespace dnnl;
    const Shape xs = layer.x, ws = layer.w, ys = conv2d_shape(xs, ws, layer.conv);
    const auto type = memory::data_type::f32;
    const auto picture = plain ? memory::format_tag::nhwc : memory::format_tag::any;
    const auto filters = plain ? memory::format_tag::ohwi : memory::format_tag::any;
    const memory::desc x({xs.n, xs.c, xs.h, xs.w}, type, picture);
    const memory::desc w({ws.n, ws.c, ws.h, ws.w}, type, filters);
    const memory::desc y({ys.n, ys.c, ys.h, ys.w}, type, picture);
    const memory::dims stride{layer.conv.stride, layer.conv.stride};
    const memory::dims pad{layer.conv.pad_h, layer.conv.pad_w};
    const auto direct = algorithm::convolution_direct;
    const convolution_forward::primitive_desc forward(
        {prop_kind::forward_training, direct, x, w, y, stride, pad, pad}, engine_);
    if (pass == Pass::forward) {
      take(convolution_forward(forward), forward.src_desc(), forward.weights_desc(),
           forward.dst_desc());
    } else if (pass == Pass::backward_data) {
      const convolution_backward_data::primitive_desc backward({direct, x, w, y, stride, pad, pad},
                                                               engine_, forward);
      take(convolution_backward_data(backward), backward.diff_src_desc(), backward.weights_desc(),
           backward.diff_dst_desc());
    } else {
      const convolution_backward_weights::primitive_desc backward(
          {direct, x, w, y, stride, pad, pad}, engine_, forward);
      take(convolution_backward_weights(backward), backward.src_desc(),
           backward.diff_weights_desc(), backward.diff_dst_desc());
    }
  }

  void run() {
    const int x = pass_ == Pass::backward_data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC;
    const int w = pass_ == Pass::backward_filter ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
    const int y = pass_ == Pass::forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST;
    const std::size_t turn = turn_++;
    primitive_.execute(stream_, {{x, x_[turn % x_.size()]}, {w, w_}, {y, y_[turn % y_.size()]}});
    stream_.wait();
  }

  float* x() { return static_cast<float*>(x_.front().get_data_handle()); }
  float* w() { return static_cast<float*>(w_.get_data_handle()); }
  float* y() { return static_cast<float*>(y_.front().get_data_handle()); }

 private:
  void take(dnnl::primitive primitive, const dnnl::memory::desc& x, const dnnl::memory::desc& w,
            const dnnl::memory::desc& y) {
    primitive_ = std::move(primitive);
    x_ = rotation(x);
    w_ = zeros(w);
    y_ = rotation(y);
  }

  dnnl::memory zeros(const dnnl::memory::desc& desc) {
    dnnl::memory memory(desc, engine_);
    std::fill_n(static_cast<float*>(memory.get_data_handle()), desc.get_size() / sizeof(float),
                0.0F);
    return memory;
  }

  // Copies that together are larger than the caches, as ours (measure.h).
  std::vector<dnnl::memory> rotation(const dnnl::memory::desc& desc) {
    constexpr std::size_t kBytes = std::size_t{48} << 20;
    std::vector<dnnl::memory> copies;
    for (std::size_t i = 0; i < std::clamp<std::size_t>(kBytes / desc.get_size(), 1, 64); ++i)
      copies.push_back(zeros(desc));
    return copies;
  }

  Pass pass_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> x_, y_;
  dnnl::memory w_;
  std::size_t turn_ = 0;
};

struct Tensors {
  explicit Tensors(const Layer& layer)
      : x(layer.x, 1), w(layer.w, 2), y(conv2d_shape(layer.x, layer.w, layer.conv), 3) {}
  Rotation x, w, y;
};

void run(Pass pass, const Context& ctx, View x, View w, View y, Conv2d conv) {
  switch (pass) {
    case Pass::forward:
      return conv2d_forward(ctx, y, x, w, conv);
    case Pass::backward_data:
      return conv2d_backward_data(ctx, x, y, w, conv);
    case Pass::backward_filter:
      return conv2d_backward_filter(ctx, w, y, x, conv, Write::overwrite);
  }
}

// The result against oneDNN's on the same numbers.
void check(Pass pass, const Context& ctx, Tensors& t, const Layer& layer, const std::string& name) {
  Vendor vendor(pass, layer, true);
  const View x = t.x.first(), w = t.w.first(), y = t.y.first();
  std::copy_n(x.data, x.shape.size(), vendor.x());
  std::copy_n(w.data, w.shape.size(), vendor.w());
  std::copy_n(y.data, y.shape.size(), vendor.y());
  run(pass, ctx, x, w, y, layer.conv);
  vendor.run();
  const View got = pass == Pass::forward ? y : pass == Pass::backward_data ? x : w;
  const float* want = pass == Pass::forward         ? vendor.y()
                      : pass == Pass::backward_data ? vendor.x()
                                                    : vendor.w();
  require_close(name, got, ConstView(want, got.shape), 1e-4);
}

std::string name_of(const Layer& l) {
  return fmt::format("{}x{}{} {}x{}x{} {}>{}", l.w.h, l.w.w,
                     l.conv.stride > 1 ? fmt::format("s{}", l.conv.stride) : "", l.x.n, l.x.h,
                     l.x.w, l.x.c, l.w.n);
}

void measure_layer(Report& report, const Options& options, const Layer& layer) {
  const std::string name = name_of(layer);
  if (name.find(options.filter) == std::string::npos) return;
  Context ctx;
  ctx.threads = options.threads;
  ctx.math = options.math;
  Workspace workspace(conv2d_workspace(ctx, layer.x, layer.w, layer.conv));
  ctx.workspace = &workspace;
  Tensors t(layer);
  const Shape y = t.y.first().shape;
  const double flops = 2.0 * static_cast<double>(y.size() * layer.w.h * layer.w.w * layer.w.c);
  const double bytes =
      static_cast<double>((layer.x.size() + layer.w.size() + y.size()) * Index{sizeof(float)});
  for (const auto& [pass, label] :
       {std::pair{Pass::forward, "forward"}, std::pair{Pass::backward_data, "backward data"},
        std::pair{Pass::backward_filter, "backward filter"}}) {
    // Nobody needs the gradient with respect to the pictures.
    if (pass == Pass::backward_data && layer.x.c == 3) continue;
    Timing vendor;
    if (options.vendor) {
      check(pass, ctx, t, layer, name);
      Vendor fastest(pass, layer, false);
      vendor = measure(options, flops, [&] { fastest.run(); });
    }
    const Timing ours = measure(options, flops, [&, p = pass] {
      run(p, ctx, t.x.next(), t.w.first(), t.y.next(), layer.conv);
    });
    report.add(label, name, flops, bytes, ours, vendor, layer.count);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv, "Convolution against oneDNN", {"v3", "tiny"});
  omp_set_num_threads(options.threads);  // oneDNN's
  Report report(options, "oneDNN");
  for (const Layer& layer : options.set == "v3" ? v3_layers() : tiny_layers())
    measure_layer(report, options, layer);
}
