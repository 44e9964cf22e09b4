#include "core/enum_names.h"

#include <doctest/doctest.h>

#include "core/error.h"

namespace twinage {

enum class Fruit { apple, pear, wild_plum };
template <>
struct EnumNames<Fruit> {
  static constexpr std::string_view what = "fruit";
  static constexpr EnumName<Fruit> table[] = {
      {Fruit::apple, "apple"}, {Fruit::pear, "pear"}, {Fruit::wild_plum, "wild-plum"}};
};

TEST_CASE("an enumeration is written and read by the names of its table") {
  CHECK(to_string(Fruit::wild_plum) == "wild-plum");
  for (const auto& [value, name] : EnumNames<Fruit>::table) CHECK(parse<Fruit>(name) == value);
  CHECK(choices<Fruit>() == "apple, pear or wild-plum");
  static_assert(name_of(Fruit::pear) == "pear");
  static_assert(values_of<Fruit>() == std::array{Fruit::apple, Fruit::pear, Fruit::wild_plum});
}

TEST_CASE("a name that is not in the table is a usage error that lists those that are") {
  CHECK_THROWS_WITH_AS((void)parse<Fruit>("plum"),
                       "[fruit] expected apple, pear or wild-plum, got 'plum'", UsageError);
  CHECK_THROWS_AS((void)parse<Fruit>(""), UsageError);
  CHECK_THROWS_AS((void)parse<Fruit>("appl"), UsageError);
}

TEST_CASE("a value that is not in the table is an error, never another name") {
  CHECK_THROWS_WITH_AS((void)to_string(static_cast<Fruit>(7)), "[fruit] unknown value 7", Error);
}

}  // namespace twinage
