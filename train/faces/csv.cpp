#include "train/faces/csv.h"

#include <algorithm>

#include "core/error.h"

namespace twinage {
namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, std::string_view name, char separator)
      : text_(text), name_(name), separator_(separator), ends_{separator, '\r', '\n'} {}

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      if (at_line_end()) {
        pass_line_end();
      } else {
        rows.push_back(row());
      }
    }
    return rows;
  }

 private:
  bool at_line_end() const { return text_[at_] == '\n' || text_[at_] == '\r'; }

  void pass_line_end() {
    at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
    ++line_;
  }

  CsvRow row() {
    CsvRow row{line_, {}};
    for (;;) {
      row.fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      if (at_ == text_.size()) return row;
      if (at_line_end()) {
        pass_line_end();
        return row;
      }
      ++at_;  // the separator
    }
  }

  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(ends_, at_), text_.size());
    std::string field(text_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  std::string quoted() {
    const Index first_line = line_;
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '"') {
        if (text_.substr(at_, 2) != "\"\"") break;
        ++at_;
      }
      field += text_[at_];
    }
    require(at_ < text_.size(), "[csv] {}:{}: a quote (\") is opened here and never closed", name_,
            first_line);
    ++at_;
    require(at_ == text_.size() || text_[at_] == separator_ || at_line_end(),
            "[csv] {}:{}: expected a {} or the end of the line after a closing quote, got '{}'",
            name_, line_,
            separator_ == ','   ? "comma"
            : separator_ == ';' ? "semicolon"
                                : "tab",
            at_ < text_.size() ? text_[at_] : ' ');
    return field;
  }

  std::string_view text_, name_;
  char separator_;
  std::string ends_;  // of a plain field
  std::size_t at_ = 0;
  Index line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, std::string_view name, char separator) {
  require(text.find('\0') == text.npos,
          "[csv] {} is not UTF-8 text: expected lines of comma-separated values", name);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return CsvParser(text, name, separator).rows();
}

char separator_of(std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  const auto count = [&](char c) { return std::ranges::count(line, c); };
  char most = ',';
  for (const char other : {';', '\t'})
    if (count(other) > count(most)) most = other;
  return most;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + "\"";
}

}  // namespace twinage
