#include "train/config.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <type_traits>

#include "core/error.h"
#include "siamese/readouts/table.h"
#include "train/toml.h"

namespace twinage {
namespace {

// One list of all fields serves reading, writing, comparing and --set.
// visit(key, value, matters): `matters` tells whether a resumed run must have the same value.
template <class Config, class Visitor>
void visit_fields(Config& c, Visitor&& visit) {
  visit("recipe", c.recipe, false);
  visit("model.preset", c.preset, true);
  visit("model.embedding", c.embedding, true);
  visit("data.train", c.data, false);
  visit("data.val", c.val, false);
  visit("data.age_ranges", c.age_ranges, true);
  visit("data.held_out", c.held_out, true);
  visit("data.held_out_max", c.held_out_max, true);
  visit("data.memory_gb", c.memory_gb, false);
  visit("data.workers", c.workers, false);
  visit("loss.kind", c.objective.pair_loss.kind, true);
  visit("loss.pairs", c.objective.pairs, true);
  visit("loss.balanced", c.objective.balanced, true);
  visit("loss.positive_share", c.positive_share, true);
  visit("loss.margin", c.objective.pair_loss.margin, true);
  visit("loss.tau", c.objective.pair_loss.tau, true);
  visit("loss.gap_max", c.objective.pair_loss.gap_max, true);
  visit("loss.scale", c.objective.pair_loss.scale, true);
  visit("loss.beta", c.objective.pair_loss.beta, true);
  visit("loss.gender_weight", c.objective.gender_weight, true);
  visit("augment.flip", c.augment.flip, true);
  visit("augment.crop", c.augment.crop, true);
  visit("augment.zoom", c.augment.zoom, true);
  visit("augment.rotation", c.augment.rotation, true);
  visit("augment.brightness", c.augment.brightness, true);
  visit("augment.contrast", c.augment.contrast, true);
  visit("augment.saturation", c.augment.saturation, true);
  visit("augment.erase", c.augment.erase, true);
  visit("optimizer.rho", c.adadelta.rho, true);
  visit("optimizer.epsilon", c.adadelta.epsilon, true);
  visit("optimizer.weight_decay", c.adadelta.weight_decay, true);
  visit("optimizer.factor", c.factor, true);
  visit("optimizer.schedule", c.schedule, true);
  visit("optimizer.warmup_steps", c.warmup_steps, true);
  visit("training.batch", c.batch, true);
  visit("training.steps", c.steps, false);
  visit("training.epochs", c.epochs, false);
  visit("training.minutes", c.minutes, false);
  visit("training.seed", c.seed, true);
  visit("training.validate_steps", c.validate_steps, false);
  visit("training.checkpoint_seconds", c.checkpoint_seconds, false);
  visit("training.checkpoint_steps", c.checkpoint_steps, false);
  visit("training.record_steps", c.record_steps, false);
  visit("readout.kind", c.readout.kind, false);
  visit("readout.k", c.readout.k, false);
  visit("readout.mirror", c.mirror, false);
  visit("readout.zooms", c.zooms, false);
  visit("readout.gallery_max", c.gallery_max, false);
  visit("readout.gallery_share", c.gallery_share, false);
}

// A value as TOML writes it.
template <class T>
std::string as_text(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    std::ostringstream quoted;
    quoted.exceptions(std::ios::badbit);  // a lack of memory must not shorten the text
    quoted << toml::value<std::string>(value);
    return quoted.str();
  } else if constexpr (std::is_enum_v<T>) {
    return fmt::format("\"{}\"", to_string(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    const std::string shortest = fmt::format("{}", value);  // reads back to the same bits
    return shortest.find_first_of(".e") == std::string::npos ? shortest + ".0" : shortest;
  } else {
    return fmt::format("{}", value);
  }
}

[[noreturn]] void wrong_type(const std::string& source, const std::string& key,
                             const char* wanted) {
  throw UsageError(fmt::format("[config] {}: {} expects {}", source, key, wanted));
}

template <class T>
void read_node(T& value, const toml::node& node, const std::string& source,
               const std::string& key) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (!node.is_string()) wrong_type(source, key, "a string in quotes");
    value = node.as_string()->get();
  } else if constexpr (std::is_enum_v<T>) {
    if (!node.is_string()) wrong_type(source, key, "a name in quotes");
    value = parse<T>(node.as_string()->get());
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!node.is_boolean()) wrong_type(source, key, "true or false");
    value = node.as_boolean()->get();
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!node.is_number()) wrong_type(source, key, "a number");
    value = node.is_integer() ? static_cast<T>(node.as_integer()->get())
                              : static_cast<T>(node.as_floating_point()->get());
  } else {
    if (!node.is_integer()) wrong_type(source, key, "a whole number");
    value = static_cast<T>(node.as_integer()->get());
  }
}

// "loss.margin" -> node, for every leaf of the file.
std::map<std::string, const toml::node*> leaves(const toml::table& table,
                                                const std::string& prefix) {
  std::map<std::string, const toml::node*> found;
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const toml::table* inner = node.as_table())
      found.merge(leaves(*inner, key + "."));
    else
      found[key] = &node;
  }
  return found;
}

toml::table parse_toml(std::string_view text, const std::string& source) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UsageError(fmt::format("[config] {}, line {}: {}", source, error.source().begin.line,
                                 error.description()));
  } catch (const FailedTomlAssertion&) {
    throw UsageError(
        fmt::format("[config] {} is no TOML: there is something where a key belongs", source));
  }
}

TrainConfig paper_recipe() {
  TrainConfig c;
  c.recipe = "paper";
  c.objective.pairs = PairMode::sampled;
  c.objective.pair_loss.kind = PairLossKind::revised_contrastive;
  c.objective.balanced = true;
  // With a batch's few pairs and ADADELTA's full step the loss stays where it began until the
  // schedule has lowered the step to about this (docs/recipes.md).
  c.factor = 0.2;
  return c;
}

constexpr std::uint64_t kLargestInteger = 0x7FFF'FFFF'FFFF'FFFF;  // of TOML

// RUN/config.toml and the model must give back the same values; a path may hold bytes that are no
// UTF-8.
void check_that_it_can_be_written(const TrainConfig& c) {
  std::map<std::string, std::string> again;
  const TrainConfig back = config_from_toml(to_toml(c), "config.toml");
  visit_fields(
      back, [&](const std::string& key, const auto& value, bool) { again[key] = as_text(value); });
  visit_fields(c, [&](const std::string& key, const auto& value, bool) {
    if (again[key] != as_text(value))
      throw UsageError(
          fmt::format("[config] {} cannot be written to a file: use another value or "
                      "path than {}",
                      key, as_text(value)));
  });
}

}  // namespace

TrainConfig recipe(std::string_view name) {
  if (name == "default") return TrainConfig{};
  if (name == "paper") return paper_recipe();
  throw UsageError(fmt::format("[config] no recipe '{}': use default or paper", name));
}

std::string to_toml(const TrainConfig& config) {
  std::string text = fmt::format("{}; use it again with --config FILE.\n", kConfigTitle);
  std::string section;
  visit_fields(config, [&](const std::string& key, const auto& value, bool) {
    const auto dot = key.find('.');
    if (dot != std::string::npos && key.substr(0, dot) != section) {
      section = key.substr(0, dot);
      text += fmt::format("\n[{}]\n", section);
    }
    text += fmt::format("{} = {}\n", dot == std::string::npos ? key : key.substr(dot + 1),
                        as_text(value));
  });
  return text;
}

TrainConfig config_from_toml(std::string_view text, const std::string& source) {
  const toml::table table = parse_toml(text, source);
  auto nodes = leaves(table, "");
  TrainConfig config = recipe(table["recipe"].value_or(std::string("default")));
  visit_fields(config, [&](const std::string& key, auto& value, bool) {
    const auto found = nodes.find(key);
    if (found == nodes.end()) return;
    read_node(value, *found->second, source, key);
    nodes.erase(found);
  });
  if (!nodes.empty())
    throw UsageError(fmt::format("[config] {}: unknown key '{}'; RUN/config.toml lists all keys",
                                 source, nodes.begin()->first));
  return config;
}

void set_value(TrainConfig& config, const std::string& key, const std::string& value) {
  if (key == "recipe")
    throw UsageError("[config] a recipe is many values at once: use --recipe, not --set recipe");
  bool known = false;
  visit_fields(config, [&](const std::string& name, auto& field, bool) {
    if (name != key) return;
    known = true;
    using Field = std::decay_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, std::string>) {
      field = value;
    } else if constexpr (std::is_enum_v<Field>) {
      field = parse<Field>(value);
    } else {
      const toml::table table = parse_toml("value = " + value, "--set " + key);
      read_node(field, *table.get("value"), "--set", key);
    }
  });
  if (!known)
    throw UsageError(fmt::format("[config] --set {}: no such key; RUN/config.toml lists all", key));
}

void validate(const TrainConfig& c) {
  const auto check = [](bool ok, std::string_view key, std::string_view expected, auto got) {
    if (!ok) throw UsageError(fmt::format("[config] {} must be {}, got {}", key, expected, got));
  };
  visit_fields(c, [&](const std::string& key, const auto& value, bool) {
    if constexpr (std::is_floating_point_v<std::decay_t<decltype(value)>>)
      check(std::isfinite(value), key, "a finite number", value);
  });
  check_augment_options(c.augment);
  preset(c.preset);
  check(c.embedding >= 1 && c.embedding <= 4096, "model.embedding", "1 to 4096", c.embedding);
  check(c.held_out > 0 && c.held_out < 1, "data.held_out", "between 0 and 1", c.held_out);
  check(c.held_out_max >= 2, "data.held_out_max", "at least 2", c.held_out_max);
  check(c.memory_gb >= 0, "data.memory_gb", "at least 0", c.memory_gb);
  check(c.workers >= 1 && c.workers <= 256, "data.workers", "1 to 256", c.workers);
  check(c.positive_share >= 0 && c.positive_share <= 1, "loss.positive_share", "0 to 1",
        c.positive_share);
  const PairLoss& loss = c.objective.pair_loss;
  check(loss.margin > 0, "loss.margin", "above 0", loss.margin);
  check(loss.tau >= 0, "loss.tau", "at least 0", loss.tau);
  check(loss.gap_max > 0, "loss.gap_max", "above 0", loss.gap_max);
  check(loss.scale > 0, "loss.scale", "above 0", loss.scale);
  check(loss.beta > 0, "loss.beta", "above 0", loss.beta);
  check(c.objective.gender_weight >= 0, "loss.gender_weight", "at least 0",
        c.objective.gender_weight);
  check(c.adadelta.rho > 0 && c.adadelta.rho < 1, "optimizer.rho", "between 0 and 1",
        c.adadelta.rho);
  check(c.adadelta.epsilon > 0, "optimizer.epsilon", "above 0", c.adadelta.epsilon);
  check(c.adadelta.weight_decay >= 0, "optimizer.weight_decay", "at least 0",
        c.adadelta.weight_decay);
  check(c.factor > 0, "optimizer.factor", "above 0", c.factor);
  check(c.warmup_steps >= 0, "optimizer.warmup_steps", "at least 0", c.warmup_steps);
  check(c.batch >= 2 && c.batch % 2 == 0, "training.batch", "even and at least 2", c.batch);
  check(c.record_steps >= 1, "training.record_steps", "at least 1", c.record_steps);
  const int lengths = (c.steps > 0) + (c.epochs > 0) + (c.minutes > 0);
  if (lengths != 1)
    throw UsageError("[config] say how long to train: exactly one of --minutes, --epochs, --steps");
  check(c.seed <= kLargestInteger, "training.seed", "0 to 9223372036854775807", c.seed);
  check(c.checkpoint_seconds >= 0, "training.checkpoint_seconds", "at least 0",
        c.checkpoint_seconds);
  require_readable(c.readout.kind, {.embedding = true, .ages = false});
  check(c.readout.k >= 1, "readout.k", "at least 1", c.readout.k);
  check(c.gallery_max >= 1, "readout.gallery_max", "at least 1", c.gallery_max);
  check(c.gallery_share >= 0, "readout.gallery_share", "at least 0", c.gallery_share);
  check_that_it_can_be_written(c);
}

std::vector<std::string> differences_that_matter(const TrainConfig& a, const TrainConfig& b) {
  std::map<std::string, std::string> there;
  visit_fields(b, [&](const std::string& key, const auto& value, bool matters) {
    if (matters) there[key] = as_text(value);
  });
  std::vector<std::string> different;
  visit_fields(a, [&](const std::string& key, const auto& value, bool matters) {
    if (matters && as_text(value) != there[key])
      different.push_back(fmt::format("{}: {}, {}", key, as_text(value), there[key]));
  });
  return different;
}

double step_factor(const TrainConfig& config, std::uint64_t step, double progress) {
  double factor = config.factor;
  if (config.schedule == Schedule::cosine)
    factor *= 0.5 * (1 + std::cos(3.141592653589793 * std::clamp(progress, 0.0, 1.0)));
  const auto warmup = static_cast<double>(config.warmup_steps);
  if (static_cast<double>(step) < warmup) factor *= (static_cast<double>(step) + 1) / warmup;
  return factor;
}

}  // namespace twinage
