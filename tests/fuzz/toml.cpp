// Configurations. Must hold: UsageError, or a configuration; one that check_settings() accepts is
// written and read back with the same text.
#include "tests/fuzz/target.h"
#include "train/settings/config.h"

using namespace twinage;
using namespace twinage::fuzz;

TWINAGE_FUZZ_TARGET(toml, input) {
  TrainConfig config;
  if (!answered([&] { config = config_from_toml(text_of(input), "input.toml"); })) return;
  if (!answered([&] { check_settings(config); })) return;
  const std::string text = to_toml(config);
  const TrainConfig again = config_from_toml(text, "again.toml");
  check_settings(again);
  must(to_toml(again) == text, "a configuration reads back as it was written");
  must(differences_that_matter(config, again).empty(), "nothing that matters has changed");
}
