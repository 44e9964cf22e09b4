#include "train/faces/labels.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "train/faces/face_dataset.h"

namespace twinage {
namespace {

constexpr double kOpenRange = 10;  // years

std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool take_front(std::string_view& text, std::string_view words) {
  if (!text.starts_with(words)) return false;
  text = trimmed(text.substr(words.size()));
  return true;
}

bool take_back(std::string_view& text, std::string_view words) {
  if (!text.ends_with(words)) return false;
  text = trimmed(text.substr(0, text.size() - words.size()));
  return true;
}

// "34 years old" -> "34"
std::string_view without_unit(std::string_view text) {
  take_back(text, "old");
  for (const std::string_view unit : {"years", "year", "yrs", "yr", "y.o.", "yo", "y"})
    if (take_back(text, unit)) break;
  return text;
}

struct Range {
  double first = 0, last = 0;
};

std::optional<Range> open_range(std::string_view text) {
  for (const std::string_view words : {"more than", "older than", "over", "above", ">=", ">"})
    if (std::string_view rest = text; take_front(rest, words))
      if (const auto first = number(rest)) return Range{*first, *first + kOpenRange};
  for (const std::string_view words : {"less than", "younger than", "under", "below", "<=", "<"})
    if (std::string_view rest = text; take_front(rest, words))
      if (const auto last = number(rest)) return Range{0, *last};
  for (const std::string_view words :
       {"+", "and over", "or over", "and older", "or older", "and above", "and more", "or more"})
    if (std::string_view rest = text; take_back(rest, words))
      if (const auto first = number(rest)) return Range{*first, *first + kOpenRange};
  return std::nullopt;
}

std::optional<Range> range_of(std::string_view text) {
  if (const auto open = open_range(text)) return open;
  const bool in_brackets = (text.starts_with('(') || text.starts_with('[')) &&
                           (text.ends_with(')') || text.ends_with(']'));
  if (in_brackets) text = trimmed(text.substr(1, text.size() - 2));
  std::vector<std::string_view> separators = {"-", "\xE2\x80\x93", "to", ".."};  // 2nd: en dash
  // Without brackets "25,32" may be a decimal comma.
  if (in_brackets) separators.insert(separators.end(), {",", ";"});
  for (const std::string_view separator : separators) {
    const auto at = text.find(separator, 1);
    if (at == text.npos) continue;
    const auto first = number(text.substr(0, at)),
               last = number(text.substr(at + separator.size()));
    if (first && last && *first >= 0 && *last >= *first) return Range{*first, *last};
  }
  return std::nullopt;
}

// A field of a list may be of any length.
std::string shown(std::string_view word) {
  constexpr std::size_t kLongest = 40;
  return word.size() <= kLongest ? std::string(word)
                                 : std::string(word.substr(0, kLongest)) + "...";
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_missing(std::string_view text) {
  constexpr std::array kWords = {"",        "nan", "none", "null", "na",   "n/a", "<na>",
                                 "unknown", "-",   "?",    "-1",   "-1.0", "."};
  return std::ranges::find(kWords, lower(trimmed(text))) != kWords.end();
}

Reason read_age(float& age, std::string_view text, AgeRanges ranges) {
  if (is_missing(text)) return fmt::format("the age is unknown ('{}')", shown(text));
  const std::string word = lower(trimmed(text));
  const std::string_view plain = without_unit(word);
  std::optional<double> years = number(plain);
  if (!years) {
    if (const auto range = range_of(plain)) {
      if (ranges == AgeRanges::skip)
        return "the age is a range; '--age-ranges middle' takes its middle";
      years = (range->first + range->last) / 2;
    }
  }
  if (!years && word.find(',') != word.npos)
    return fmt::format("age '{}' has a comma: write 34.5 for years, 34-45 for a range",
                       shown(text));
  if (!years) return fmt::format("age '{}' is not a number", shown(text));
  if (!(*years >= 0 && *years <= static_cast<double>(kMaxAge)))
    return fmt::format("age {} is outside 0..{:g}", shown(text), kMaxAge);
  age = static_cast<float>(*years);
  return std::nullopt;
}

std::int32_t gender_of(std::string_view word) {
  const std::string name = lower(trimmed(word));
  if (const auto value = number(name)) return *value == 0 ? 0 : *value == 1 ? 1 : -1;
  for (const std::string_view male : {"m", "male", "man", "boy"})
    if (name == male) return 0;
  for (const std::string_view female : {"f", "female", "woman", "girl"})
    if (name == female) return 1;
  return -1;
}

}  // namespace twinage
