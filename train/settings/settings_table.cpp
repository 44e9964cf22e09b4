#include "core/error.h"
#include "train/settings/settings.h"

namespace twinage {
namespace {

constexpr std::size_t kColumns = 80, kIndent = 8;

// `text` in lines of at most `columns`, broken at spaces.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines{""};
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    std::string& line = lines.back();
    if (!line.empty() && line.size() + 1 + word.size() > columns) {
      lines.emplace_back(word);
    } else {
      line += line.empty() ? "" : " ";
      line += word;
    }
  }
  return lines;
}

}  // namespace

std::string settings_table(const TrainConfig& config) {
  TrainConfig copy = config;
  std::string text = fmt::format(
      "Set any of these with --set KEY=VALUE, or in a file with --config FILE;\n"
      "RUN/config.toml is such a file. Shown are the values of --recipe {}.\n"
      "A resumed run must have the values it began with, but for those marked ~.\n",
      config.recipe);
  std::string section;
  for (const Setting& s : settings_of(copy)) {
    const auto dot = s.key.find('.');
    if (dot != std::string::npos && s.key.substr(0, dot) != section) {
      section = s.key.substr(0, dot);
      text += "\n";
    }
    std::string head =
        fmt::format("{} = {}{}", s.key, s.text(), s.resume == Resume::may_differ ? " ~" : "");
    std::string help = s.help;
    if (!s.allowed.text.empty()) {
      const std::string allowed = fmt::format(" ({})", s.allowed.text);
      const bool fits = head.size() + 1 + allowed.size() <= kColumns;
      (fits ? head : help) += fits ? " " + allowed : allowed;
    }
    text += head + "\n";
    for (const std::string& line : wrapped(help, kColumns - kIndent))
      text += std::string(kIndent, ' ') + line + "\n";
  }
  return text;
}

}  // namespace twinage
