// Binds settings to the members of a configuration: list.add("loss.margin", config.margin, ...).
#pragma once
#include <algorithm>
#include <set>
#include <type_traits>

#include "core/error.h"
#include "siamese/losses/loss.h"
#include "train/settings/setting.h"

namespace twinage {

// The text of one value in TOML.
std::string quoted(const std::string& text);
std::string toml_list(std::span<const std::string> names);
std::string toml_number(std::string shortest);
// What stands behind "value = ". Throws UsageError naming the key.
SettingValue parse_value(const std::string& text, const std::string& key);

[[noreturn]] void fail_wrong_type(const std::string& source, const std::string& key,
                                  const char* wanted);
[[noreturn]] void fail_not_allowed(const std::string& key, const std::string& allowed,
                                   const std::string& got);

// The names in "a, b" or ["a", "b"].
std::vector<std::string> parse_list(const std::string& text);

class SettingList {
  template <class T>
  static constexpr bool kIsList = requires {
    requires std::is_enum_v<typename T::value_type>;
  };

 public:
  // Enumerations, and lists of them, allow all their names.
  template <class T>
  void add(std::string key, T& value, Allowed allowed, Resume resume, std::string help) {
    if constexpr (std::is_enum_v<T>) allowed = one_of(names_of<T>());
    if constexpr (kIsList<T>) allowed.text = "a list of " + choices<typename T::value_type>();
    Setting s{key, std::move(help), allowed, resume, false, {}, {}, {}, {}, {}};
    s.text = [&value] { return text_of(value); };
    s.read = [&value, key, allowed](const SettingValue& from, const std::string& source) {
      read_into(value, from, source, key);
      if constexpr (std::is_same_v<T, LossName>) check(value, key, allowed);
    };
    s.read_argument = [&value, key, allowed](const std::string& text) {
      if constexpr (std::is_same_v<T, std::string>)
        value = text;
      else if constexpr (std::is_same_v<T, LossName>)
        value.name = text;
      else if constexpr (std::is_enum_v<T>)
        value = parse<T>(text);
      else if constexpr (kIsList<T>)
        read_into(value, parse_list(text), "--set", key);
      else
        read_into(value, parse_value(text, key), "--set", key);
      if constexpr (std::is_same_v<T, LossName>) check(value, key, allowed);
    };
    s.check = [&value, key, allowed] { check(value, key, allowed); };
    all_.push_back(std::move(s));
  }
  template <class T>
  void add_later(std::string key, T& value, Allowed allowed, Resume resume, std::string help) {
    add(std::move(key), value, std::move(allowed), resume, std::move(help));
    all_.back().later = true;
  }
  // before: see Setting::before.
  template <class T>
  void add_since(std::string key, T& value, const T& before, Allowed allowed, Resume resume,
                 std::string help) {
    add(std::move(key), value, std::move(allowed), resume, std::move(help));
    all_.back().before = text_of(before);
  }
  std::vector<Setting> done() { return std::move(all_); }

 private:
  template <class T>
  static std::vector<std::string> names_in(const T& list) {
    std::vector<std::string> names;
    for (const auto value : list) names.push_back(to_string(value));
    return names;
  }

  template <class T>
  static std::string text_of(const T& value) {
    if constexpr (std::is_same_v<T, std::string>)
      return quoted(value);
    else if constexpr (std::is_same_v<T, LossName>)
      return fmt::format("\"{}\"", value.name);
    else if constexpr (kIsList<T>)
      return toml_list(names_in(value));
    else if constexpr (std::is_enum_v<T>)
      return fmt::format("\"{}\"", to_string(value));
    else if constexpr (std::is_floating_point_v<T>)
      return toml_number(fmt::format("{}", value));
    else
      return fmt::format("{}", value);
  }

  template <class T>
  static void read_into(T& value, const SettingValue& from, const std::string& source,
                        const std::string& key) {
    const auto* text = std::get_if<std::string>(&from);
    const auto* whole = std::get_if<std::int64_t>(&from);
    if constexpr (std::is_same_v<T, std::string>) {
      if (text == nullptr) fail_wrong_type(source, key, "a string in quotes");
      value = *text;
    } else if constexpr (std::is_same_v<T, LossName>) {
      if (text == nullptr) fail_wrong_type(source, key, "a name in quotes");
      value.name = *text;
    } else if constexpr (kIsList<T>) {
      const auto* names = std::get_if<std::vector<std::string>>(&from);
      if (names == nullptr) fail_wrong_type(source, key, "a list of names in brackets");
      value.clear();
      for (const std::string& name : *names) value.push_back(parse<typename T::value_type>(name));
      std::ranges::sort(value);  // the order in which they are named has no meaning
    } else if constexpr (std::is_enum_v<T>) {
      if (text == nullptr) fail_wrong_type(source, key, "a name in quotes");
      value = parse<T>(*text);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!std::holds_alternative<bool>(from)) fail_wrong_type(source, key, "true or false");
      value = std::get<bool>(from);
    } else if constexpr (std::is_floating_point_v<T>) {
      const auto* number = std::get_if<double>(&from);
      if (whole == nullptr && number == nullptr) fail_wrong_type(source, key, "a number");
      value = whole != nullptr ? static_cast<T>(*whole) : static_cast<T>(*number);
    } else {
      if (whole == nullptr) fail_wrong_type(source, key, "a whole number");
      value = static_cast<T>(*whole);
    }
  }

  template <class T>
  static void check(const T& value, const std::string& key, const Allowed& allowed) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (allowed.name && !allowed.name(value)) fail_not_allowed(key, allowed.text, value);
    } else if constexpr (std::is_same_v<T, LossName>) {
      check(value.name, key, allowed);
    } else if constexpr (kIsList<T>) {
      const std::vector<std::string> names = names_in(value);
      if (names.empty() || std::set(names.begin(), names.end()).size() < names.size())
        fail_not_allowed(key, allowed.text + ", each once", text_of(value));
    } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      if constexpr (std::is_floating_point_v<T>)
        if (!(value - value == 0)) fail_not_allowed(key, "a finite number", text_of(value));
      if (allowed.number && !allowed.number(static_cast<long double>(value)))
        fail_not_allowed(key, allowed.text, text_of(value));
    }
  }

  std::vector<Setting> all_;
};

}  // namespace twinage
