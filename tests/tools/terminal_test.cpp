#include "tools/terminal.h"

#include <doctest/doctest.h>

using namespace twinage;

TEST_CASE("a sparkline has a block for each value, and shows whatever there is") {
  const std::vector<double> values{0, 1, 4, 8, 0.01};
  CHECK(sparkline(values) == " ▁▄█▁");
  CHECK(sparkline(values, 16) == " ▁▂▄▁");
  CHECK(sparkline(std::vector<double>{0, 0}) == "  ");
  CHECK(sparkline({}).empty());
}

TEST_CASE("an age's bar: votes, the interval with the age in it, years") {
  AgeEstimate e;
  e.age = 20;
  e.low = 10;
  e.high = 30;
  e.votes.assign(31, 0);
  e.votes[20] = 0.8F;
  e.votes[10] = 0.2F;
  CHECK(age_bar(e, true) ==
        "       ▂    █                                        \n"
        "       ├────●────┤\n"
        "  0    10   20   30   40   50   60   70   80   90   100 years\n");
  e.votes.clear();
  CHECK(age_bar(e, false) ==
        "            ●\n"
        "  0    10   20   30   40   50   60   70   80   90   100 years\n");
}

TEST_CASE("an age beyond the bar's end is at its end") {
  AgeEstimate e;
  e.age = 118;
  e.low = 90;
  e.high = 130;
  e.votes.assign(121, 1.0F / 121);
  const std::string bar = age_bar(e, true);
  CHECK(bar.find("├────●") != std::string::npos);
}
