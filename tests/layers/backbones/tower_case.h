// What the tests of towers share: a case of tests/fixtures/export_layers.py, and a list of names.
#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "tests/layers/rig.h"

namespace twinage::test {

// Runs one case of the exporter, with the x it names, and compares everything it stored.
inline void check_case(const std::string& name, const std::string& x_name, Layer& layer, Shape x,
                       double tolerance) {
  const Fixture fixture(name);
  const std::vector<float> x_values = hash_uniform(x_name, x.size());
  if (name.starts_with("tower"))
    fill_away_from_kinks(layer.parameters());
  else
    fill_from_hash(layer.parameters());
  const auto compare = [&](const std::string& what, ConstView got) {
    CAPTURE(name);
    CAPTURE(what);
    const double error = fixture.error(what, got);
    CAPTURE(error);
    CHECK(error <= tolerance);
  };
  {
    Rig rig(layer, x, Mode::eval);
    copy_values(rig.x.view(), x_values);
    rig.forward();
    compare("y_eval", rig.y.view());
    CHECK(rig.guards_intact());
  }
  Rig rig(layer, x, Mode::train);
  copy_values(rig.x.view(), x_values);
  rig.forward();
  rig.backward();
  compare("y", rig.y.view());
  compare("dx", rig.dx.view());
  for (const Parameter* p : layer.parameters())
    p->trained ? compare("grad/" + p->name, p->grad.view())
               : compare("after/" + p->name, p->value.view());
  CHECK(rig.guards_intact());
}

inline Index trained_values(Layer& layer) {
  Index sum = 0;
  for (const Parameter* p : layer.parameters())
    if (p->trained) sum += p->value.size();
  return sum;
}

// Against a list of lines "NAME extents", the extents in PyTorch's order: K C R S, K C or K.
inline void check_names(const std::string& list, std::size_t count, Layer& layer) {
  std::map<std::string, Shape> expected;
  std::ifstream file(std::filesystem::path(TWINAGE_FIXTURES) / list);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    Shape shape{1, 1, 1, 1};
    fields >> name >> shape.n;
    if (!(fields >> shape.c)) shape = vector(shape.n);  // a bias, or batch norm's
    if (!(fields >> shape.h >> shape.w)) shape.h = shape.w = 1;
    expected[name] = shape;
  }
  REQUIRE(expected.size() == count);

  const auto parameters = layer.parameters();
  CHECK(parameters.size() == expected.size());
  for (const Parameter* p : parameters) {
    CAPTURE(p->name);
    REQUIRE(expected.count(p->name) == 1);
    CHECK(p->value.shape() == expected[p->name]);
    const bool running = p->name.ends_with("running_mean") || p->name.ends_with("running_var");
    CHECK(p->trained == !running);
    expected.erase(p->name);
  }
  CHECK(expected.empty());
}

}  // namespace twinage::test
