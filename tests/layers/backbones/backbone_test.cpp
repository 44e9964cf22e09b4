#include "layers/backbones/backbone.h"

#include <set>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/test_context.h"

using namespace twinage;
using namespace twinage::test;

TEST_CASE("channels are rounded to multiples of 8, ties to even, at least 8") {
  CHECK(scaled_channels(192, 1.0) == 192);
  CHECK(scaled_channels(48, 0.25) == 16);   // 1.5 -> 2
  CHECK(scaled_channels(80, 0.25) == 16);   // 2.5 -> 2
  CHECK(scaled_channels(112, 0.25) == 32);  // 3.5 -> 4
  CHECK(scaled_channels(448, 0.25) == 112);
  CHECK(scaled_channels(32, 0.01) == 8);
}

TEST_CASE("presets: what they are") {
  CHECK(preset("v3").input == 299);
  CHECK(preset("v3").batch == 8);
  CHECK(preset("small").width == 0.5);
  CHECK(preset("tiny").backbone == "inception_v3_compact");
  CHECK(preset("tiny").load == 80);
  CHECK(preset_choices().starts_with("tiny (72 px), small (128 px)"));
  CHECK(preset_choices().find("v3 (299 px, the paper's)") != std::string::npos);
}

TEST_CASE("an unknown preset or tower is refused, and the message lists those there are") {
  const auto message_of = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const UsageError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  const std::string of_preset = message_of([] { preset("huge"); });
  CAPTURE(of_preset);
  for (const std::string& name : preset_names()) CHECK(of_preset.find(name) != std::string::npos);
  CHECK(of_preset.find("'huge'") != std::string::npos);
  const std::string of_tower = message_of([] { tower({.name = "mine", .backbone = "vgg19"}); });
  CAPTURE(of_tower);
  for (const std::string& name : backbone_names()) CHECK(of_tower.find(name) != std::string::npos);
}

TEST_CASE("every preset's tower turns its pictures into the features that it says") {
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    const Preset p = preset(name);
    CHECK(p.name == name);
    CHECK(p.load >= p.input);
    const Stage stage = tower(p);
    CHECK(stage.layer->plan(TestContext(), {2, p.input, p.input, 3}, Mode::eval) ==
          matrix(2, stage.channels));
    CHECK(stage.layer->flops() > 0);
    std::set<std::string> names;
    for (const Parameter* parameter : stage.layer->parameters()) names.insert(parameter->name);
    CHECK(names.size() == stage.layer->parameters().size());  // each has a name of its own
  }
}
