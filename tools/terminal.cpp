#include "tools/terminal.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

namespace twinage {
namespace {

std::string_view value_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

// The first of them that is set decides, as for the C library.
bool is_utf8() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = value_of(variable);
    if (value.empty()) continue;
    return value.find("UTF-8") != value.npos || value.find("utf8") != value.npos;
  }
  return false;
}

}  // namespace

bool terminal_can_draw() {
  return ::isatty(STDOUT_FILENO) == 1 && value_of("NO_COLOR").empty() &&
         value_of("TERM") != "dumb" && is_utf8();
}

std::string sparkline(std::span<const double> values, double most) {
  constexpr std::string_view kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr double kLevels = 8;
  if (most <= 0)
    for (const double value : values) most = std::max(most, value);
  std::string line;
  for (const double value : values) {
    // What there is at all can be seen.
    const double level = value > 0 && most > 0 ? std::ceil(kLevels * value / most - 1e-9) : 0;
    line += kBlocks[static_cast<std::size_t>(std::clamp(level, 0.0, kLevels))];
  }
  return line;
}

std::string age_bar(const AgeEstimate& estimate, bool interval) {
  constexpr double kYears = 2;  // of a column
  constexpr int kColumns = 51;  // to 100 years
  const auto column = [](double age) {
    return std::clamp(static_cast<int>(std::lround(age / kYears)), 0, kColumns - 1);
  };
  std::string bar;
  if (!estimate.votes.empty()) {
    std::vector<double> sums(kColumns);
    for (std::size_t year = 0; year < estimate.votes.size(); ++year)
      sums[static_cast<std::size_t>(column(static_cast<double>(year)))] +=
          static_cast<double>(estimate.votes[year]);
    // Faint ones add up to little: below a hundredth of the largest they are left out.
    const double most = std::ranges::max(sums);
    for (double& sum : sums) sum = sum < 0.01 * most ? 0 : sum;
    bar += "  " + sparkline(sums, most) + "\n";
  }
  const int low = column(estimate.low), high = column(estimate.high), age = column(estimate.age);
  bar += "  ";
  for (int i = 0; i <= (interval ? std::max(high, age) : age); ++i) {
    if (i == age)
      bar += "●";
    else if (!interval || i < low || i > high)
      bar += " ";
    else
      bar += i == low ? "├" : i == high ? "┤" : "─";
  }
  bar += "\n  ";
  for (int year = 0; year <= 100; year += 10) bar += fmt::format("{:<5}", year);
  while (bar.back() == ' ') bar.pop_back();
  return bar + " years\n";
}

}  // namespace twinage
