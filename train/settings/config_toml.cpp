#include <map>
#include <sstream>

#include "core/error.h"
#include "train/settings/setting_list.h"
#include "train/settings/settings.h"
#include "train/settings/toml.h"

namespace twinage {
namespace {

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

SettingValue value_of(const toml::node& node, const std::string& source, const std::string& key) {
  if (node.is_boolean()) return node.as_boolean()->get();
  if (node.is_integer()) return node.as_integer()->get();
  if (node.is_floating_point()) return node.as_floating_point()->get();
  if (node.is_string()) return node.as_string()->get();
  std::vector<std::string> names;
  if (!node.is_array())
    fail_wrong_type(source, key, "a number, true or false, a string or a list of names");
  for (const toml::node& entry : *node.as_array()) {
    if (!entry.is_string()) fail_wrong_type(source, key, "names in quotes");
    names.push_back(entry.as_string()->get());
  }
  return names;
}

}  // namespace

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // a lack of memory must not shorten the text
  out << toml::value<std::string>(text);
  return out.str();
}

std::string toml_list(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names)
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", name);
  return "[" + text + "]";
}

std::string toml_number(std::string shortest) {
  return shortest.find_first_of(".e") == std::string::npos ? shortest + ".0" : shortest;
}

SettingValue parse_value(const std::string& text, const std::string& key) {
  const std::string source = "--set " + key;
  const toml::table table = parse_toml("value = " + text, source);
  return value_of(*table.get("value"), "--set", key);
}

std::vector<std::string> parse_list(const std::string& text) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : text + ",") {
    if (std::string_view("[]\"' ").find(c) != std::string_view::npos) continue;
    if (c != ',') {
      name += c;
    } else if (!name.empty()) {
      names.push_back(std::move(name));
      name.clear();
    }
  }
  return names;
}

std::string to_toml(const TrainConfig& config, Keys keys) {
  TrainConfig copy = config, unset = recipe(config.recipe);
  const std::vector<Setting> defaults = settings_of(unset);
  std::size_t next = 0;
  std::string text = fmt::format("{}; use it again with --config FILE.\n", kConfigTitle);
  std::string section;
  for (const Setting& setting : settings_of(copy)) {
    const Setting& same = defaults[next++];
    const bool as_before = setting.before.empty() ? setting.later && setting.text() == same.text()
                                                  : setting.text() == setting.before;
    if (keys == Keys::needed && as_before) continue;
    const auto dot = setting.key.find('.');
    if (dot != std::string::npos && setting.key.substr(0, dot) != section) {
      section = setting.key.substr(0, dot);
      text += fmt::format("\n[{}]\n", section);
    }
    text += fmt::format("{} = {}\n",
                        dot == std::string::npos ? setting.key : setting.key.substr(dot + 1),
                        setting.text());
  }
  return text;
}

TrainConfig config_from_toml(std::string_view text, const std::string& source) {
  const toml::table table = parse_toml(text, source);
  auto nodes = leaves(table, "");
  TrainConfig config = recipe(table["recipe"].value_or(std::string("default")));
  const bool of_a_run = text.starts_with(kConfigTitle);
  for (const Setting& setting : settings_of(config)) {
    const auto found = nodes.find(setting.key);
    if (found == nodes.end() && of_a_run && !setting.before.empty())
      setting.read_argument(setting.before);
    if (found == nodes.end()) continue;
    setting.read(value_of(*found->second, source, setting.key), source);
    nodes.erase(found);
  }
  if (!nodes.empty())
    throw UsageError(
        fmt::format("[config] {}: unknown key '{}'; 'twinage train --settings' lists all keys",
                    source, nodes.begin()->first));
  return config;
}

}  // namespace twinage
