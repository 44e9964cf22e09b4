#include "layers/description.h"

#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/l2_normalize/l2_normalize.h"
#include "kernels/matmul/matmul.h"
#include "kernels/soft_stagewise/soft_stagewise.h"
#include "kernels/tanh/tanh.h"
#include "layers/backbones/alexnet.h"
#include "layers/backbones/densenet.h"
#include "layers/backbones/inception_v3.h"
#include "layers/backbones/mobilenet.h"
#include "layers/backbones/ssr.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// Computes inference from a description alone, with the plain definitions of the operations: what a
// writer of another format has to know.
class Reader {
 public:
  GuardedTensor run(const LayerDescription& part, const GuardedTensor& x) const {
    if (part.kind == "chain") {
      GuardedTensor at = x;
      for (const LayerDescription& next : part.parts) at = run(next, at);
      return at;
    }
    GuardedTensor y(part.y);
    if (part.kind == "concat") {
      Index first = 0;
      for (const LayerDescription& branch : part.parts) {
        const GuardedTensor of_branch = run(branch, x);
        naive::copy(ctx_, y.view().channels(first, branch.y.c), of_branch.view());
        first += branch.y.c;
      }
    } else if (part.kind == "split") {
      Index read = 0, written = 0;
      for (const LayerDescription& next : part.parts) {
        GuardedTensor mine(next.x);
        naive::copy(ctx_, mine.view(), x.view().channels(read, next.x.c));
        naive::copy(ctx_, y.view().channels(written, next.y.c), run(next, mine).view());
        read += next.x.c;
        written += next.y.c;
      }
    } else if (part.kind == "product_of_halves") {
      const Index half = part.y.c;
      naive::multiply(ctx_, y.view(), x.view().channels(0, half), x.view().channels(half, half));
    } else if (part.kind == "conv_bn_tanh") {
      GuardedTensor u(part.y);
      convolve(part, 0, u, x);
      norm(part, 1, y, u, false);
      naive::tanh_forward(ctx_, y.view(), y.view());
    } else if (part.kind == "dense") {
      Index written = 0;
      for (const LayerDescription& next : part.parts) {
        GuardedTensor before({part.y.n, part.y.h, part.y.w, written > 0 ? written : 1});
        if (written > 0) naive::copy(ctx_, before.view(), y.view().channels(0, written));
        const GuardedTensor of_part = run(next, written > 0 ? before : x);
        naive::copy(ctx_, y.view().channels(written, next.y.c), of_part.view());
        written += next.y.c;
      }
    } else if (part.kind == "conv_bn_relu" || part.kind == "depthwise") {
      GuardedTensor u(part.y);
      convolve(part, 0, u, x);
      norm(part, 1, y, u);
    } else if (part.kind == "bn_relu_conv") {
      GuardedTensor a(part.x);
      norm(part, 0, a, x);
      convolve(part, 4, y, a);
    } else if (part.kind == "bn_relu") {
      norm(part, 0, y, x);
    } else if (part.kind == "conv_relu") {
      naive::conv2d_forward(ctx_, y.view(), x.view(), value(part, "weight").view(), conv(part),
                            {.bias = value(part, "bias").data(), .relu = true});
    } else if (part.kind == "linear") {
      naive::matmul(ctx_, y.view(), x.view(), Transpose::no, value(part, "weight").view(),
                    Transpose::yes, Write::overwrite);
      naive::add_bias(ctx_, y.view(), value(part, "bias").data());
    } else if (part.kind == "shared_linear") {
      GuardedTensor s(matrix(part.x.n, 1));
      naive::matmul(ctx_, s.view(), x.view(), Transpose::no, value(part, "weight").view(),
                    Transpose::yes, Write::overwrite);
      for (Index k = 0; k < part.y.c; ++k) naive::copy(ctx_, y.view().channels(k, 1), s.view());
      naive::add_bias(ctx_, y.view(), value(part, "bias").data());
    } else if (part.kind == "soft_stagewise") {
      CHECK(number(part, "stages") == kStages);
      CHECK(number(part, "bins") == kStageBins);
      naive::soft_stagewise_forward(ctx_, y.view(), x.view(),
                                    static_cast<float>(part.option("range")));
    } else if (part.kind == "max_pool") {
      naive::max_pool_forward(ctx_, y.view(), x.view(), pool(part));
    } else if (part.kind == "average_pool") {
      naive::average_pool_forward(ctx_, y.view(), x.view(), pool(part));
    } else if (part.kind == "global_average_pool") {
      naive::global_average_pool_forward(ctx_, y.view(), x.view());
    } else if (part.kind == "flatten") {
      copy_values(y.view(), x.values());
    } else if (part.kind == "l2_normalize") {
      naive::l2_normalize_forward(ctx_, y.view(), x.view(),
                                  static_cast<float>(part.option("radius")));
    } else if (part.kind == "dropout") {
      CHECK(part.option("rate") > 0);
      naive::copy(ctx_, y.view(), x.view());
    } else {
      FAIL("unknown kind " << part.kind);
    }
    return y;
  }

 private:
  static Index number(const LayerDescription& part, const char* option) {
    return static_cast<Index>(part.option(option));
  }
  static Conv2d conv(const LayerDescription& part) {
    return {number(part, "stride"), number(part, "pad_h"), number(part, "pad_w")};
  }
  static Pool pool(const LayerDescription& part) {
    CHECK(part.option("kernel_h") == part.option("kernel_w"));
    CHECK(part.option("pad_h") == part.option("pad_w"));
    return {number(part, "kernel_h"), number(part, "stride"), number(part, "pad_h")};
  }
  static const Tensor& value(const LayerDescription& part, const std::string& end) {
    for (const Parameter* p : part.parameters)
      if (p->name == part.name + "." + end) return p->value;
    fail("{} has no parameter {}", part.name, end);
  }
  // The filter and the norm have the names that torchvision gives them: they are found by their
  // place.
  void convolve(const LayerDescription& part, std::size_t first, GuardedTensor& y,
                const GuardedTensor& x) const {
    const Parameter& w = *part.parameters.at(first);
    CHECK(w.name.find("conv") != std::string::npos);
    CHECK(w.value.shape().h == number(part, "kernel_h"));
    CHECK(w.value.shape().w == number(part, "kernel_w"));
    const auto forward =
        part.kind == "depthwise" ? naive::depthwise_conv2d_forward : naive::conv2d_forward;
    forward(ctx_, y.view(), x.view(), w.value.view(), conv(part), {});
  }
  void norm(const LayerDescription& part, std::size_t first, GuardedTensor& y,
            const GuardedTensor& x, bool relu = true) const {
    const auto number_of = [&](std::size_t i, const char* end) {
      const Parameter& p = *part.parameters.at(first + i);
      CHECK(p.name.ends_with(end));
      return p.value.data();
    };
    const BatchNorm options{.epsilon = static_cast<float>(part.option("epsilon")),
                            .momentum = static_cast<float>(part.option("momentum")),
                            .relu = relu};
    naive::batch_norm_apply(ctx_, y.view(), x.view(), number_of(2, ".running_mean"),
                            number_of(3, ".running_var"), number_of(0, ".weight"),
                            number_of(1, ".bias"), options);
  }

  TestContext ctx_;
};

void check_sums(Layer& layer, const LayerDescription& whole) {
  double flops = 0;
  Index bytes = 0;
  std::vector<const Parameter*> parameters;
  for_each_part(whole, [&](const LayerDescription& part) {
    flops += part.flops;
    bytes += part.activation_bytes;
    parameters.insert(parameters.end(), part.parameters.begin(), part.parameters.end());
  });
  CHECK(flops == doctest::Approx(layer.flops()).epsilon(1e-12));
  CHECK(bytes == layer.activation_bytes());
  const std::vector<Parameter*> all = layer.parameters();
  CHECK(parameters == std::vector<const Parameter*>(all.begin(), all.end()));
}

void check_wires(const LayerDescription& whole) {
  for_each_part(whole, [](const LayerDescription& part) {
    CAPTURE(part.kind);
    CAPTURE(part.name);
    CHECK(part.x.size() > 0);
    CHECK(part.y.size() > 0);
    if (part.kind == "chain") {
      Shape at = part.x;
      for (const LayerDescription& next : part.parts) {
        CHECK(next.x == at);
        at = next.y;
      }
      CHECK(at == part.y);
    } else if (part.kind == "concat") {
      Index channels = 0;
      for (const LayerDescription& branch : part.parts) {
        CHECK(branch.x == part.x);
        channels += branch.y.c;
      }
      CHECK(channels == part.y.c);
    } else if (part.kind == "split") {
      Index of_x = 0, of_y = 0;
      for (const LayerDescription& next : part.parts) {
        of_x += next.x.c;
        of_y += next.y.c;
      }
      CHECK(of_x == part.x.c);
      CHECK(of_y == part.y.c);
    } else if (part.kind == "dense") {
      Index channels = 0;
      for (const LayerDescription& next : part.parts) {
        CHECK(next.x == (channels == 0 ? part.x : Shape{part.y.n, part.y.h, part.y.w, channels}));
        channels += next.y.c;
      }
      CHECK(channels == part.y.c);
    } else {
      CHECK(part.parts.empty());
    }
  });
}

}  // namespace

TEST_CASE("a description's sums are the layer's, and its wires meet, for every preset") {
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    const Preset p = preset(name);
    const Stage stage = tower(p);
    for (const Mode mode : {Mode::train, Mode::eval}) {
      const Index batch = p.input > 150 ? 1 : 2;
      stage.layer->plan(TestContext(), {batch, p.input, p.input, 3}, mode);
      const LayerDescription whole = stage.layer->describe();
      check_sums(*stage.layer, whole);
      check_wires(whole);
      CHECK(whole.x == Shape{batch, p.input, p.input, 3});
      CHECK(whole.y == matrix(batch, stage.channels));
    }
  }
}

TEST_CASE("a description is enough to compute what the network computes") {
  const auto check = [](Stage stage, Shape x) {
    fill_away_from_kinks(stage.layer->parameters());
    Rig rig(*stage.layer, x, Mode::eval);
    rig.forward();
    const GuardedTensor y = Reader().run(stage.layer->describe(), rig.x);
    CHECK(largest_magnitude(y.view()) > 0.5);
    CHECK(close(rig.y.view(), y.view(), 1e-5));
  };
  check(alexnet(95, 0.125, Norm::none), {2, 95, 95, 3});
  check(alexnet(63, 0.125, Norm::batch), {2, 63, 63, 3});
  check(inception_v3(0.125, Stem::compact), {1, 65, 65, 3});
  check({named("age", shared_linear(7, 5)), 5}, matrix(3, 7));
  std::vector<LayerPtr> stages;
  stages.push_back(linear(7, kStageNumbers));
  stages.push_back(soft_stagewise(10.1));
  check({named("age", chain(std::move(stages))), 1}, matrix(3, 7));
  check(mobilenet(0.125), {1, 65, 65, 3});
  check(ssr(46, 0.5), {2, 46, 46, 3});
  check(densenet({.layers = {1, 2, 1, 2}}, 0.125), {1, 65, 65, 3});
}

TEST_CASE("a description has the layers' names, under torchvision's blocks") {
  const Stage tiny = tower(preset("tiny"));
  tiny.layer->plan(TestContext(), {1, 72, 72, 3}, Mode::eval);
  const LayerDescription whole = tiny.layer->describe();
  REQUIRE(whole.kind == "chain");
  CHECK(whole.parts[0].name == "Conv2d_1a_3x3");
  CHECK(whole.parts[0].option("stride") == 2);
  CHECK(whole.parts[0].has_option("stride"));
  CHECK_FALSE(whole.parts[0].has_option("rate"));
  CHECK_THROWS_AS(whole.parts[0].option("rate"), Error);
  const LayerDescription& block = whole.parts[6];
  CHECK(block.kind == "concat");
  CHECK(block.name == "Mixed_5b");
  CHECK(block.parts[0].name == "Mixed_5b.branch1x1");
  CHECK(block.parts[1].parts[1].name == "Mixed_5b.branch5x5_2");
  CHECK(block.parts[3].parts[0].name == "Mixed_5b");  // a pool has no name of its own
  // What has parameters can be told from all others by its name.
  std::set<std::string> names;
  std::size_t layers = 0;
  for_each_part(whole, [&](const LayerDescription& part) {
    if (part.parameters.empty()) return;
    names.insert(part.name);
    ++layers;
  });
  CHECK(layers == 94);
  CHECK(names.size() == layers);
}
