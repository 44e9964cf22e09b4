#include "layers/layers.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/soft_stagewise/soft_stagewise.h"
#include "layers/backbones/densenet.h"
#include "layers/backbones/inception_v3.h"
#include "layers/backbones/mobilenet.h"
#include "layers/backbones/ssr.h"
#include "layers/description.h"
#include "tests/layers/rig.h"

using namespace twinage;
using namespace twinage::test;

namespace {

struct TestLayer {
  std::string what;
  LayerPtr layer;
  Shape x;
};

LayerPtr conv_layer(const std::string& name, Index in, Index out, KernelSize k, Conv2d options) {
  return named(name, conv_bn_relu(in, out, k, options));
}

// One of each kind, and compositions in which every wire carries a gradient.
std::vector<TestLayer> test_layers() {
  std::vector<TestLayer> all;
  all.push_back({"linear", linear(7, 5), matrix(3, 7)});
  all.push_back({"shared linear", shared_linear(7, 5), matrix(3, 7)});
  all.push_back({"stages", chain(list(named("a", linear(7, kStageNumbers)), soft_stagewise(10.1))),
                 matrix(3, 7)});
  all.push_back({"conv 3x3", conv_bn_relu(5, 8, {3, 3}, {1, 1, 1}), {2, 5, 3, 5}});
  all.push_back({"conv 1x7 / 2", conv_bn_relu(3, 9, {1, 7}, {2, 0, 3}), {2, 3, 9, 3}});
  all.push_back({"conv + bias 3x3", conv_relu(5, 8, {3, 3}, {1, 1, 1}), {2, 5, 3, 5}});
  all.push_back({"conv + bias 5x5 / 2", conv_relu(3, 9, {5, 5}, {2, 2, 2}), {2, 7, 9, 3}});
  all.push_back({"depthwise 3x3", named("d", depthwise(5, {3, 3}, {1, 1, 1})), {2, 5, 3, 5}});
  all.push_back({"depthwise 3x3 / 2", depthwise(9, {3, 3}, {2, 1, 1}), {2, 6, 9, 9}});
  all.push_back({"conv + tanh", conv_bn_tanh(5, 8, {3, 3}, {2, 1, 1}), {2, 5, 7, 5}});
  all.push_back({"product of halves", product_of_halves(), {2, 3, 4, 10}});
  std::vector<Share> shares;
  shares.push_back({4, conv_layer("a", 4, 3, {3, 3}, {1, 1, 1})});
  shares.push_back({3, average_pool({3, 1, 1})});
  all.push_back(
      {"split", chain(list(split(std::move(shares)), product_of_halves())), {2, 4, 5, 7}});
  all.push_back({"bn + relu", bn_relu(6), {2, 4, 3, 6}});
  all.push_back({"bn + relu + conv", bn_relu_conv(5, 8, {3, 3}, {1, 1, 1}), {2, 5, 3, 5}});
  all.push_back({"average pool", average_pool({3, 1, 1}), {2, 4, 3, 5}});
  all.push_back({"flatten", flatten(), {3, 2, 4, 5}});
  all.push_back({"l2 normalize", l2_normalize(1.5), matrix(3, 7)});
  all.push_back({"head on a sphere", chain(list(linear(7, 5), l2_normalize(2))), matrix(3, 7)});
  all.push_back({"dropout", named("drop", dropout(0.4)), {3, 2, 4, 5}});
  all.push_back(
      {"classifier",
       chain(list(flatten(), named("0", dropout(0.5)), named("1", conv_relu(24, 7, {1, 1}, {})),
                  named("2", dropout(0.3)), named("3", linear(7, 5)))),
       {3, 2, 3, 4}});
  all.push_back({"global pool", global_average_pool(), {2, 4, 3, 5}});
  all.push_back({"chain",
                 chain(list(conv_layer("a", 4, 8, {3, 3}, {1, 1, 1}),
                            conv_layer("b", 8, 6, {3, 3}, {1, 1, 1}), average_pool({3, 1, 1}),
                            conv_layer("c", 6, 5, {3, 1}, {1, 1, 0}))),
                 {3, 5, 4, 4}});
  all.push_back({"head", chain(list(global_average_pool(), linear(4, 3))), {3, 5, 4, 4}});
  all.push_back({"concat",
                 concat(list(conv_layer("a", 4, 3, {1, 1}, {}),
                             chain(list(conv_layer("b", 4, 5, {1, 1}, {}),
                                        conv_layer("c", 5, 6, {3, 3}, {1, 1, 1}))),
                             average_pool({3, 1, 1}))),
                 {2, 4, 5, 4}});
  // The first part's channels are read by two others, and all three by whoever comes after.
  // Padded, or c's norm would take away what b's beta adds.
  all.push_back({"dense",
                 chain(list(dense("block", list(average_pool({3, 1, 1}),
                                                named("a", bn_relu_conv(4, 5, {3, 3}, {1, 1, 1})),
                                                named("b", bn_relu_conv(9, 3, {3, 3}, {1, 1, 1})))),
                            named("c", bn_relu_conv(12, 6, {1, 1}, {})))),
                 {2, 4, 5, 4}});
  return all;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// Central difference of the loss along a random direction of `tensor`, against its gradient.
void check_along_direction(Rig& rig, View tensor, ConstView gradient, const std::string& name) {
  GuardedTensor g(gradient.shape), original(tensor.shape);
  const TestContext ctx;
  copy(ctx, g.view(), gradient);
  copy(ctx, original.view(), tensor);
  const std::vector<float> g_values = g.values(), start = original.values();
  const double size = std::sqrt(dot(g_values, g_values));
  CAPTURE(name);
  CHECK(size > 1e-3);  // an all-zero gradient would agree with anything

  const double step = 1.0 / 128;
  for (int direction = 0; direction < 3; ++direction) {
    const std::vector<float> v =
        hash_uniform(name + std::to_string(direction), tensor.shape.size());
    double loss[2];
    for (const int side : {0, 1}) {
      std::vector<float> moved = start;
      const float h = static_cast<float>(side == 0 ? -step : step);
      for (std::size_t i = 0; i < v.size(); ++i) moved[i] += h * v[i];
      copy_values(tensor, moved);
      rig.forward();
      loss[side] = rig.loss();
    }
    copy_values(tensor, start);
    const double difference = (loss[1] - loss[0]) / (2 * step);
    // Truncation is of the order of step^2; a direction's typical share of the gradient is
    // |g| / sqrt(3).
    CHECK(std::fabs(difference - dot(g_values, v)) <= 5e-3 * size);
  }
}

}  // namespace

TEST_CASE("gradients agree with finite differences") {
  for (TestLayer& t : test_layers()) {
    CAPTURE(t.what);
    fill_away_from_kinks(t.layer->parameters());
    Rig rig(*t.layer, t.x, Mode::train);
    rig.forward();
    if (t.layer->remake_from() != Layer::Remake::no) CHECK(rig.remakes_y());
    rig.backward();
    check_along_direction(rig, rig.x.view(), rig.dx.view(), "dx");
    for (Parameter* p : t.layer->parameters())
      if (p->trained) check_along_direction(rig, p->value.view(), p->grad.view(), p->name);
    CHECK(rig.guards_intact());
  }
}

TEST_CASE("gradients accumulate") {
  for (TestLayer& t : test_layers()) {
    CAPTURE(t.what);
    fill_from_hash(t.layer->parameters());
    Rig rig(*t.layer, t.x, Mode::train);
    rig.forward();
    rig.backward();
    std::vector<Tensor> once;
    for (Parameter* p : t.layer->parameters()) {
      once.emplace_back(p->grad.shape());
      if (p->trained) once.back().copy_from(p->grad);
    }
    GuardedTensor twice(t.x);
    twice.fill(0);
    const TestContext ctx;
    add(ctx, twice.view(), rig.dx.view());
    add(ctx, twice.view(), rig.dx.view());

    rig.forward();
    rig.backward(Write::accumulate);
    CHECK(close(rig.dx.view(), twice.view(), 1e-5));
    rig.forward();
    rig.backward(View(), Write::overwrite);  // no dx wanted: the parameters' gradients all the same
    CHECK(close(rig.dx.view(), twice.view(), 1e-5));
    std::size_t i = 0;
    for (Parameter* p : t.layer->parameters()) {
      Tensor& expected = once[i++];
      if (!p->trained) continue;
      for (Index k = 0; k < expected.size(); ++k) expected.data()[k] *= 3;
      CHECK(close(p->grad.view(), expected.view(), 1e-5));
    }
    CHECK(rig.guards_intact());
  }
}

TEST_CASE("inference is the running statistics' batch norm, folded into the filter") {
  const Conv2d conv{2, 1, 1};
  const LayerPtr layer = conv_bn_relu(5, 9, {3, 3}, conv);
  fill_from_hash(layer->parameters());
  Rig rig(*layer, {3, 6, 5, 5}, Mode::eval);
  rig.forward();

  const auto p = layer->parameters();
  const Shape in = rig.x.view().shape, out = rig.y.view().shape;
  const TestContext any;
  const TestContext ctx(std::max(conv2d_workspace(any, in, p[0]->value.shape(), conv),
                                 batch_norm_workspace(any, out)));
  GuardedTensor u(out), y(out);
  conv2d_forward(ctx, u.view(), rig.x.view(), p[0]->value.view(), conv);
  batch_norm_apply(ctx, y.view(), u.view(), p[3]->value.data(), p[4]->value.data(),
                   p[1]->value.data(), p[2]->value.data(), {});
  CHECK(close(rig.y.view(), y.view(), tolerance_of_sum(45)));
  CHECK(largest_magnitude(y.view()) > 0.5);
}

TEST_CASE("inference: batch norm in front of a convolution, and around a depthwise one") {
  const TestContext any;
  const Conv2d conv{2, 1, 1};
  const Shape x{3, 6, 5, 9};
  for (const bool per_channel : {false, true}) {
    const LayerPtr layer =
        per_channel ? depthwise(9, {3, 3}, conv) : bn_relu_conv(9, 7, {3, 3}, conv);
    fill_from_hash(layer->parameters());
    Rig rig(*layer, x, Mode::eval);
    rig.forward();
    auto p = layer->parameters();
    if (!per_channel) std::rotate(p.begin(), p.end() - 1, p.end());  // the filter first
    const auto norm = [&](View to, ConstView from) {
      naive::batch_norm_apply(any, to, from, p[3]->value.data(), p[4]->value.data(),
                              p[1]->value.data(), p[2]->value.data(), {});
    };
    GuardedTensor y(rig.y.view().shape), between(per_channel ? y.view().shape : x);
    if (per_channel) {
      naive::depthwise_conv2d_forward(any, between.view(), rig.x.view(), p[0]->value.view(), conv,
                                      {});
      norm(y.view(), between.view());
    } else {
      norm(between.view(), rig.x.view());
      naive::conv2d_forward(any, y.view(), between.view(), p[0]->value.view(), conv, {});
    }
    CHECK(close(rig.y.view(), y.view(), tolerance_of_sum(81)));
    CHECK(largest_magnitude(y.view()) > 0.5);
  }
}

TEST_CASE("bn_relu_conv keeps two numbers a channel, whatever the map") {
  const LayerPtr layer = bn_relu_conv(16, 8, {1, 1}, {});
  layer->plan(TestContext(), {2, 30, 30, 16}, Mode::train);
  CHECK(layer->activation_bytes() == 4 * 2 * 16);
}

TEST_CASE("flatten: each picture's pixels one after the other") {
  const LayerPtr layer = flatten();
  Rig rig(*layer, {2, 3, 2, 5}, Mode::train);
  rig.forward();
  rig.backward();
  CHECK(rig.y.view().shape == matrix(2, 30));
  CHECK(rig.y.values() == rig.x.values());
  CHECK(rig.dx.values() == rig.dy.values());
  CHECK(rig.guards_intact());
  // Packed, as in a chain: one copy for all.
  const TestContext ctx;
  GuardedTensor y(matrix(2, 30)), dx({2, 3, 2, 5});
  layer->forward(ctx, y.view(), rig.x.view(), Mode::train);
  layer->backward(ctx, dx.view(), y.view(), rig.x.view(), y.view(), Write::overwrite);
  CHECK(y.values() == rig.x.values());
  CHECK(dx.values() == rig.x.values());
}

TEST_CASE("results are bitwise equal for any number of threads") {
  const auto check = [](auto&& make, Shape x) {
    std::vector<std::vector<float>> results[3];
    for (const int threads : {1, 2, 3}) {
      const LayerPtr layer = make();
      fill_from_hash(layer->parameters());
      Rig rig(*layer, x, Mode::train, threads);
      rig.forward();
      rig.backward();
      auto& mine = results[threads - 1];
      mine.push_back(rig.y.values());
      mine.push_back(rig.dx.values());
      for (const Parameter* p : layer->parameters()) {
        const Tensor& t = p->trained ? p->grad : p->value;
        mine.emplace_back(t.data(), t.data() + t.size());
      }
    }
    CHECK(results[0] == results[1]);
    CHECK(results[0] == results[2]);
  };
  check([] { return inception_a(20, 0.25, 32).layer; }, {3, 17, 15, 20});
  check([] { return mobilenet(0.25).layer; }, {3, 65, 47, 3});
  check([] { return ssr(46, 0.5).layer; }, {3, 46, 46, 3});
  check([] { return densenet({.layers = {2, 1, 1, 2}}, 0.25).layer; }, {3, 75, 63, 3});
}

TEST_CASE("a layer can be planned again for another batch and mode") {
  const auto run = [](Layer& layer, Index batch) {
    Rig rig(layer, {batch, 9, 8, 12}, Mode::train);
    rig.zero_gradients();
    rig.forward();
    rig.backward();
    std::vector<std::vector<float>> all = {rig.y.values(), rig.dx.values()};
    for (const Parameter* p : layer.parameters())
      if (p->trained) all.emplace_back(p->grad.data(), p->grad.data() + p->grad.size());
    return all;
  };
  const Stage reused = inception_d(12, 0.125), fresh = inception_d(12, 0.125);
  fill_from_hash(reused.layer->parameters());
  fill_from_hash(fresh.layer->parameters());
  run(*reused.layer, 5);
  CHECK(reused.layer->activation_bytes() > 0);
  {
    Rig eval(*reused.layer, {1, 9, 8, 12}, Mode::eval);
    eval.forward();
    CHECK(reused.layer->activation_bytes() == 0);
  }
  CHECK(run(*reused.layer, 2) == run(*fresh.layer, 2));
}

TEST_CASE("what does not fit the plan is refused") {
  const TestContext ctx;
  CHECK_THROWS_AS(chain({}), Error);
  CHECK_THROWS_AS(concat({}), Error);
  CHECK_THROWS_AS(linear(4, 2)->plan(ctx, {1, 2, 1, 4}, Mode::eval), Error);
  CHECK_THROWS_AS(conv_bn_relu(4, 2, {1, 1}, {})->plan(ctx, {1, 2, 1, 5}, Mode::eval), Error);
  CHECK_THROWS_AS(conv_bn_relu(4, 2, {1, 1}, {})->plan(ctx, {1, 1, 1, 4}, Mode::train), Error);
  CHECK_THROWS_AS(concat(list(max_pool({3, 2, 0}), average_pool({3, 1, 1})))
                      ->plan(ctx, {1, 9, 9, 4}, Mode::eval),
                  Error);

  const LayerPtr layer = linear(4, 2);
  GuardedTensor x(matrix(3, 4)), y(matrix(3, 2)), dx(matrix(3, 4)), other(matrix(2, 4));
  layer->plan(ctx, matrix(3, 4), Mode::eval);
  CHECK_THROWS_AS(layer->forward(ctx, y.view(), other.view(), Mode::eval), Error);
  CHECK_THROWS_AS(layer->forward(ctx, y.view(), x.view(), Mode::train), Error);
  CHECK_THROWS_AS(layer->backward(ctx, dx.view(), y.view(), x.view(), y.view(), Write::overwrite),
                  Error);
}
