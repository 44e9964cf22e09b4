#include "train/faces/labels.h"

#include <doctest/doctest.h>

using namespace twinage;

TEST_CASE("ages in words, and ranges when asked for") {
  const auto age_of = [](std::string_view text, AgeRanges ranges = AgeRanges::middle) {
    float age = -1;
    return read_age(age, text, ranges) ? -1.0F : age;
  };
  for (const char* text : {"34", "34.0", " 34 ", "+34", "34 years", "34 Years old", "34y", "3.4e1"})
    CHECK_MESSAGE(age_of(text, AgeRanges::skip) == 34, text);
  CHECK(age_of("25-32") == 28.5F);
  CHECK(age_of("(25, 32)") == 28.5F);
  CHECK(age_of("[25;32]") == 28.5F);
  CHECK(age_of("25 to 32") == 28.5F);
  CHECK(age_of("25\xE2\x80\x93"
               "32 years") == 28.5F);
  CHECK(age_of("0-2") == 1);
  for (const char* text : {"60+", "more than 60", "60 and over", ">60"})
    CHECK_MESSAGE(age_of(text) == 65, text);
  CHECK(age_of("under 3") == 1.5F);
  for (const char* text : {"25-32", "(25, 32)", "60+", "more than 70"})
    CHECK_MESSAGE(age_of(text, AgeRanges::skip) == -1, text);
  for (const char* text :
       {"32-25", "34,5", "0x1F", "inf", "nan", "1-2-3", "121", "-5", "+", "(", "1990-01-02"})
    CHECK_MESSAGE(age_of(text) == -1, text);
}
