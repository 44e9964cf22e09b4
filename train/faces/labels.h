// What the words of a manifest and of file names mean: ages, genders, missing labels.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/enum_names.h"

namespace twinage {

// What becomes of an age that is given as a range, "25-32", "(25, 32)", "60+", "more than 70".
enum class AgeRanges {
  skip,    // the face is left out
  middle,  // the range's middle stands for the age
};
template <>
struct EnumNames<AgeRanges> {
  static constexpr std::string_view what = "age_ranges";
  static constexpr EnumName<AgeRanges> table[] = {
      {AgeRanges::skip, "skip"},
      {AgeRanges::middle, "middle"},
  };
};

// Why something cannot be used; nothing if it can.
using Reason = std::optional<std::string>;

std::string lower(std::string_view text);  // ASCII only: the words compared with are English
std::string_view trimmed(std::string_view text);

// Empty, or one of the words that programs write where a value is missing: nan, none, null, na,
// n/a, unknown, -, ?, -1, in any case.
bool is_missing(std::string_view text);

// Years from "34", "34.0", " 34 ", "+34", "34 years"; of a range its middle, if asked for: (25 +
// 32) / 2. [ours] An open range is taken as ten years, as the classes that end in one are: "60+"
// and "more than 60" as 60 to 70, 65 years; "under 3" as 0 to 3. Returns why it is no age within
// 0..kMaxAge.
Reason read_age(float& age, std::string_view text, AgeRanges ranges);

// 0 for male (0, m, man, boy), 1 for female (1, f, woman, girl), in any case; whole numbers may be
// written with decimals (1.0), as pandas does where a column has gaps. -1, unknown, for any other.
std::int32_t gender_of(std::string_view word);

}  // namespace twinage
