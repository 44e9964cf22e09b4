// A setting is declared once, in train/settings/settings.cpp: its key, where it lives, what is
// allowed, whether a resumed run must share it, one line of help. Reading, writing, comparing,
// checking, `--set` and `twinage train --settings` all come from that line; its default is what the
// member of TrainConfig begins with.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/enum_names.h"

namespace twinage {

// A value as TOML knows it.
using SettingValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

// What is allowed of a number or a name. Whatever it says, numbers must be finite.
struct Allowed {
  std::string text;  // "above 0": for help and errors; empty: anything
  std::function<bool(long double)> number;
  std::function<bool(const std::string&)> name;
};
Allowed anything();
Allowed above(double least);
Allowed at_least(double least);
Allowed from_to(double least, double most);       // both are allowed
Allowed between(double below, double beyond);     // neither is
Allowed from_below(double least, double beyond);  // the first is allowed
Allowed even_from(double least);
Allowed one_of(std::vector<std::string> names);

// Whether a run that is resumed must have the value with which it began.
enum class Resume { must_share, may_differ };

// One setting of one configuration: it reads and writes a member of that.
struct Setting {
  std::string key;   // "loss.margin"
  std::string help;  // one line
  Allowed allowed;
  Resume resume;
  // Not of the first version: left out of a model's and a state's text where it has its recipe's
  // value, so that a program from before reads a model that uses nothing new. That value must not
  // change any more.
  bool later;
  // The same for a value that recipes may change: what a text written by a run means that does not
  // name the setting, because there was none of it then. Empty: its recipe's value.
  std::string before;
  std::function<std::string()> text;  // as TOML writes it; a number reads back to the same bits
  // Throws UsageError that says what `source`, a file or "--set", should hold there.
  std::function<void(const SettingValue&, const std::string& source)> read;
  // The same from a command line, where text needs no quotes.
  std::function<void(const std::string&)> read_argument;
  // Throws UsageError that says what must be there, and what is.
  std::function<void()> check;
};

}  // namespace twinage
