// CSV text. The first byte picks the separator. Must hold: rows or Error; lines that count upwards;
// what was read, written again with every field in quotes, reads as the same fields.
#include "train/faces/csv.h"

#include <algorithm>

#include "tests/fuzz/target.h"

using namespace twinage;
using namespace twinage::fuzz;

namespace {

std::string written(const std::vector<CsvRow>& rows, char separator) {
  std::string text;
  for (const CsvRow& row : rows) {
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      if (i > 0) text += separator;
      text += '"';
      for (const char c : row.fields[i]) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    text += '\n';
  }
  return text;
}

}  // namespace

TWINAGE_FUZZ_TARGET(csv, input) {
  std::string_view text = text_of(input);
  if (text.empty()) return;
  const char chosen = text[0];
  text.remove_prefix(1);
  const char found = separator_of(text);
  must(found == ',' || found == ';' || found == '\t', "a separator is one of three");
  const char separator = chosen == ';' || chosen == '\t' || chosen == ',' ? chosen : found;
  std::vector<CsvRow> rows;
  if (!answered([&] { rows = parse_csv(text, "input.csv", separator); })) return;
  Index line = 0;
  for (const CsvRow& row : rows) {
    must(row.line > line, "rows begin on lines of their own");
    line = row.line;
    must(!row.fields.empty(), "a row has fields");
  }
  must(line <= static_cast<Index>(
                   std::ranges::count_if(text, [](char c) { return c == '\n' || c == '\r'; })) +
                   1,
       "no row begins behind the last line");
  const std::vector<CsvRow> again = parse_csv(written(rows, separator), "again.csv", separator);
  must(again.size() == rows.size(), "as many rows when read again");
  for (std::size_t i = 0; i < rows.size(); ++i)
    must(again[i].fields == rows[i].fields, "the same fields when read again");
}
