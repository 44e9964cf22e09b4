#include "layers/initialize.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/layers.h"

using namespace twinage;

namespace {

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};

Moments moments(const Tensor& t) {
  const double n = static_cast<double>(t.size());
  Moments m;
  for (Index i = 0; i < t.size(); ++i) m.mean += static_cast<double>(t.data()[i]) / n;
  for (Index i = 0; i < t.size(); ++i) {
    const double d = static_cast<double>(t.data()[i]) - m.mean;
    m.deviation += d * d / n;
    m.largest = std::max(m.largest, std::fabs(static_cast<double>(t.data()[i])));
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

}  // namespace

TEST_CASE("weights have the promised distribution") {
  const LayerPtr conv = named("a", conv_bn_relu(24, 40, {3, 3}, {1, 1, 1}));
  initialize(conv->parameters(), 7);
  const auto p = conv->parameters();
  const Moments w = moments(p[0]->value);  // 8640 values, fan-in 216
  const double deviation = std::sqrt(2.0 / 216);
  CHECK(std::fabs(w.mean) < 5 * deviation / std::sqrt(8640.0));
  CHECK(w.deviation == doctest::Approx(deviation).epsilon(0.05));
  CHECK(p[1]->value.data()[39] == 1);  // gamma
  CHECK(p[2]->value.data()[39] == 0);  // beta
  CHECK(p[3]->value.data()[39] == 0);  // running mean
  CHECK(p[4]->value.data()[39] == 1);  // running variance

  // Numbered modules, and a depthwise filter, whose fan-in is one channel's.
  const LayerPtr dense_layer =
      named("b", bn_relu_conv(24, 40, {3, 3}, {1, 1, 1}, {"conv2", "norm2", {}}));
  initialize(dense_layer->parameters(), 7);
  CHECK(moments(dense_layer->parameters()[4]->value).deviation ==
        doctest::Approx(deviation).epsilon(0.05));
  CHECK(dense_layer->parameters()[0]->value.data()[23] == 1);
  CHECK(dense_layer->parameters()[1]->value.data()[23] == 0);
  const LayerPtr filters = named("c", depthwise(1000, {3, 3}, {1, 1, 1}));
  initialize(filters->parameters(), 7);
  CHECK(moments(filters->parameters()[0]->value).deviation ==
        doctest::Approx(std::sqrt(2.0 / 9)).epsilon(0.05));

  const LayerPtr head = named("head", linear(100, 50));
  initialize(head->parameters(), 7);
  const Moments v = moments(head->parameters()[0]->value);
  CHECK(v.largest <= 0.1);
  CHECK(v.largest > 0.099);
  CHECK(v.deviation == doctest::Approx(0.1 / std::sqrt(3.0)).epsilon(0.05));
  CHECK(head->parameters()[1]->value.data()[0] == 0);
}

TEST_CASE("weights ahead of a ReLU without a norm are He's, whatever their name") {
  const LayerPtr layer = named("features.0", conv_relu(24, 40, {3, 3}, {1, 1, 1}));
  initialize(layer->parameters(), 7);
  const auto p = layer->parameters();
  CHECK(p[0]->name == "features.0.weight");
  CHECK(moments(p[0]->value).deviation == doctest::Approx(std::sqrt(2.0 / 216)).epsilon(0.05));
  CHECK(p[1]->name == "features.0.bias");
  CHECK(moments(p[1]->value).largest == 0);
}

TEST_CASE("a tensor's numbers depend on the seed and its name alone") {
  const auto first_weight = [](const std::string& prefix, std::uint64_t seed) {
    const LayerPtr layer = named(prefix, linear(4, 4));
    initialize(layer->parameters(), seed);
    return layer->parameters()[0]->value.data()[0];
  };
  CHECK(first_weight("a", 1) == first_weight("a", 1));
  CHECK(first_weight("a", 1) != first_weight("b", 1));
  CHECK(first_weight("a", 1) != first_weight("a", 2));

  std::vector<LayerPtr> both;
  both.push_back(named("b", linear(4, 4)));
  both.push_back(named("a", linear(4, 4)));
  const LayerPtr pair = chain(std::move(both));
  initialize(pair->parameters(), 1);
  CHECK(pair->parameters()[2]->value.data()[0] == first_weight("a", 1));
}

TEST_CASE("a name without a rule is refused") {
  Parameter unknown{"a.num_batches_tracked", Tensor(vector(1)), {}, false};
  CHECK_THROWS_AS(initialize({&unknown}, 1), Error);
}
