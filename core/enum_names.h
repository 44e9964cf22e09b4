// The names of an enumeration's values, in one table beside it; reading, writing, help and errors
// come from there:
//
//   enum class Schedule { constant, cosine };
//   template <>
//   struct EnumNames<Schedule> {
//     static constexpr std::string_view what = "schedule";
//     static constexpr EnumName<Schedule> table[] = {{Schedule::constant, "constant"},
//                                                    {Schedule::cosine, "cosine"}};
//   };
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twinage {

template <class E>
struct EnumName {
  E value;
  std::string_view name;
};

template <class E>
struct EnumNames;  // specialised for an enumeration that has names

template <class E>
concept NamedEnum = requires {
  EnumNames<E>::what;
  EnumNames<E>::table;
};

// "a, b or c"; `last` joins the last two.
std::string listed(std::span<const std::string> names, std::string_view last = "or");
[[noreturn]] void fail_unknown_value(std::string_view what, int value);  // throws Error
// Throws UsageError.
[[noreturn]] void fail_unknown_name(std::string_view what, std::span<const std::string> names,
                                    std::string_view got);

// All values, in the table's order.
template <NamedEnum E>
constexpr auto values_of() {
  std::array<E, std::size(EnumNames<E>::table)> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = EnumNames<E>::table[i].value;
  return values;
}

// Throws Error for a value that is not in the table; at compile time that is an error of the
// compiler's.
template <NamedEnum E>
constexpr std::string_view name_of(E value) {
  for (const auto& entry : EnumNames<E>::table)
    if (entry.value == value) return entry.name;
  fail_unknown_value(EnumNames<E>::what, static_cast<int>(value));
}
template <NamedEnum E>
std::string to_string(E value) {
  return std::string(name_of(value));
}

template <NamedEnum E>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (const auto& entry : EnumNames<E>::table) names.emplace_back(entry.name);
  return names;
}

// "a, b or c", for help.
template <NamedEnum E>
std::string choices() {
  return listed(names_of<E>());
}

// Throws UsageError for a name that is not in the table; the message lists those that are.
template <NamedEnum E>
E parse(std::string_view name) {
  for (const auto& entry : EnumNames<E>::table)
    if (entry.name == name) return entry.value;
  fail_unknown_name(EnumNames<E>::what, names_of<E>(), name);
}

}  // namespace twinage
