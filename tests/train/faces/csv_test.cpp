#include "train/faces/csv.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

TEST_CASE("CSV: line ends, quotes and line numbers") {
  const auto rows = parse_csv("a,b\rc\n\n\"d\r\ne\",\"\"\"\",\r\nf", "text");
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].fields == std::vector<std::string>{"a", "b"});
  CHECK(rows[1].fields == std::vector<std::string>{"c"});
  CHECK(rows[2].fields == std::vector<std::string>{"d\r\ne", "\"", ""});
  CHECK(rows[3].fields == std::vector<std::string>{"f"});
  CHECK(rows[1].line == 2);
  CHECK(rows[2].line == 4);
  CHECK(rows[3].line == 6);
  CHECK(parse_csv("", "text").empty());
  CHECK(parse_csv(",", "text").at(0).fields.size() == 2);
  CHECK_THROWS_AS(parse_csv("\"a\"b", "text"), Error);
  CHECK_THROWS_AS(parse_csv("\"a", "text"), Error);
}
