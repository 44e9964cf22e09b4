#include "layers/path.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

using namespace twinage;
using namespace twinage::test;

namespace {

Stage drawn_block(Index in, double width, Index out) {
  const auto x = [=] { return Path(in, width); };
  return Path::side_by_side(x().conv("a", out), x().average_pool_smoothing());
}

std::vector<std::string> names_of(Layer& layer) {
  std::vector<std::string> names;
  for (const Parameter* p : layer.parameters())
    if (p->name.ends_with("conv.weight")) names.push_back(p->name);
  return names;
}

}  // namespace

TEST_CASE("a path draws what the figure says: channels, sizes and names") {
  Path path(5, 0.5);  // 5 channels come in: these are not scaled
  path.conv("first", 48, {3, 3}).conv_valid("second", 64, {5, 5}).max_pool_halving();
  CHECK(path.channels() == 32);
  path.block("third", drawn_block, 80).fork(32, "left", {1, 3}, "right", {3, 1});
  const Stage stage = path.done();
  CHECK(stage.channels == 16 + 16);
  // 13 -> 13 -> 9 -> 4 -> 4 -> 4
  CHECK(stage.layer->plan(TestContext(), {2, 13, 13, 5}, Mode::eval) == Shape{2, 4, 4, 32});
  CHECK(names_of(*stage.layer) ==
        std::vector<std::string>{"first.conv.weight", "second.conv.weight", "third.a.conv.weight",
                                 "left.conv.weight", "right.conv.weight"});
  CHECK(stage.layer->parameters()[0]->value.shape() == Shape{24, 3, 3, 5});
}

TEST_CASE("a path takes layers that it has no word for") {
  Path path(6, 0.5);
  const Stage stage = path.global_average().add(named("own", linear(6, 10)), 10).done();
  CHECK(stage.channels == 10);
  CHECK(stage.layer->plan(TestContext(), {3, 4, 5, 6}, Mode::eval) == matrix(3, 10));
  CHECK_THROWS_AS(path.done(), Error);  // it has been taken
}
