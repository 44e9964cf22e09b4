// Comma-separated values as RFC 4180 writes them; semicolons and tabs are other separators.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"

namespace twinage {

struct CsvRow {
  Index line = 0;  // of the text, counted from 1, where the row begins
  std::vector<std::string> fields;
};

// Quoted fields may hold commas, line breaks and "" for a quote; rows end in CRLF, LF or CR; a byte
// order mark and empty lines are passed over. `name` stands in errors. Throws Error for a quote
// that is never closed, for text after a closing quote (both with the line) and for NUL bytes,
// which UTF-16 and binary files have.
std::vector<CsvRow> parse_csv(std::string_view text, std::string_view name, char separator = ',');

// A field as it is written: in quotes where it has to be.
std::string csv_field(std::string_view text);

// What separates the first line's fields: the one of , ; and tab that it holds most of; a comma
// when it has none.
char separator_of(std::string_view text);

}  // namespace twinage
