#include "tools/split_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/data_command.h"

namespace twinage {

std::string split_as_text(const std::string& out, const MadeSplit& made, Index skipped,
                          Index damaged) {
  constexpr std::size_t kShown = 20, kLongestNote = 28;
  std::string text = fmt::format("{}\nprotocol {}\n\n  part      faces  persons  mean age  ages\n",
                                 printable(out), made.file.protocol);
  for (std::size_t i = 0; i < std::min(kShown, made.parts.size()); ++i) {
    const PartSummary& part = made.parts[i];
    const std::string persons = part.persons > 0 ? fmt::format("{}", part.persons) : "-";
    const std::string ages = fmt::format("{:g} to {:g}", part.youngest, part.oldest);
    std::string line =
        fmt::format("  {:<6} {:>8} {:>8} {:>9.1f}  {:<12}  {}", part.name, part.faces, persons,
                    part.mean_age, ages, printable(part.note.substr(0, kLongestNote)));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  if (made.parts.size() > kShown)
    text += fmt::format("  and {} more\n", made.parts.size() - kShown);
  text += made.persons_known
              ? fmt::format("\n{} persons are in more than one part\n", made.persons_shared)
              : "\nwhich person a face belongs to is not known\n";
  text +=
      fmt::format("{} pictures are copies of others, each beside the one it is of\n", made.copies);
  if (made.on_both_sides > 0)
    text += fmt::format(
        "{} pictures of an official part are in a later one, too, and stay only there\n",
        made.on_both_sides);
  text += fmt::format("{} faces are in no part\n", made.left_out);
  if (skipped + damaged > 0)
    text +=
        fmt::format("{} files are skipped, {} more are damaged pictures ('twinage data' says)\n",
                    skipped, damaged);
  return text;
}

}  // namespace twinage
