#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "core/enum_names.h"
#include "core/error.h"
#include "core/shape.h"
#include "tools/data_command.h"
#include "train/faces/copies.h"
#include "train/faces/formats/format.h"
#include "train/faces/pictures/image.h"

namespace twinage {
namespace {

struct Count {
  std::string label;
  Index count = 0;
};

struct SkippedGroup {
  std::string reason;
  Index count = 0;
  std::string example;
};

struct Summary {
  Index faces = 0, skipped = 0, subjects = 0;
  double mean_age = 0;
  float youngest = 0, oldest = 0;
  std::vector<Count> decades, genders, races;
  std::vector<SkippedGroup> reasons;
};

// A line for each of the names, and one for -1, unknown, where it occurs.
std::vector<Count> count_labels(const FaceDataset& dataset, std::int32_t Face::*label,
                                std::span<const std::string> names) {
  std::vector<Count> counts;
  for (const std::string& name : names) counts.push_back({name, 0});
  counts.push_back({"unknown", 0});
  for (const Face& face : dataset.faces) {
    const auto value = face.*label < 0 ? names.size() : static_cast<std::size_t>(face.*label);
    ++counts[value].count;
  }
  if (counts.back().count == 0) counts.pop_back();
  return counts;
}

std::vector<Count> count_decades(const FaceDataset& dataset, float oldest) {
  std::vector<Count> decades;
  for (int first = 0; first <= static_cast<int>(oldest); first += 10)
    decades.push_back({fmt::format("{}-{}", first, first + 9), 0});
  for (const Face& face : dataset.faces) ++decades[static_cast<std::size_t>(face.age / 10)].count;
  return decades;
}

std::vector<SkippedGroup> group_by_reason(const std::vector<Skipped>& skipped) {
  std::map<std::string, SkippedGroup> groups;
  for (const Skipped& s : skipped) {
    SkippedGroup& group =
        groups
            .try_emplace(
                s.reason,
                SkippedGroup{s.reason, 0, s.where.empty() ? s.path : s.path + " (" + s.where + ")"})
            .first->second;
    ++group.count;
  }
  std::vector<SkippedGroup> sorted;
  for (auto& [reason, group] : groups) sorted.push_back(std::move(group));
  std::ranges::stable_sort(sorted, std::greater(), &SkippedGroup::count);
  return sorted;
}

Summary summarize(const FaceDataset& dataset) {
  Summary s;
  s.faces = static_cast<Index>(dataset.faces.size());
  s.skipped = static_cast<Index>(dataset.skipped.size());
  std::set<std::string> subjects;
  for (const Face& face : dataset.faces) {
    s.mean_age += face.age / static_cast<double>(s.faces);
    if (!face.subject.empty()) subjects.insert(face.subject);
  }
  s.subjects = static_cast<Index>(subjects.size());
  if (s.faces > 0) {
    const auto [youngest, oldest] = std::ranges::minmax(dataset.faces, {}, &Face::age);
    s.youngest = youngest.age;
    s.oldest = oldest.age;
  }
  s.decades = count_decades(dataset, s.oldest);
  s.genders = count_labels(dataset, &Face::gender,
                           std::array{std::string(gender_name(0)), std::string(gender_name(1))});
  s.races = count_labels(dataset, &Face::race, dataset.race_names);
  s.reasons = group_by_reason(dataset.skipped);
  return s;
}

// One line a row: label, count, share, and a bar that fills the 80 columns for the largest count.
std::string bars(const std::vector<Count>& rows) {
  constexpr std::size_t kLeastWidth = 8, kMostWidth = 24, kShown = 20;
  Index total = 0, largest = 1;
  std::size_t width = kLeastWidth;
  for (const Count& row : rows) {
    total += row.count;
    largest = std::max(largest, row.count);
    width = std::min(kMostWidth, std::max(width, row.label.size()));
  }
  const auto longest = static_cast<Index>(80 - 22 - width);
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, rows.size()); ++i) {
    const Count& row = rows[i];
    const double share =
        100.0 * static_cast<double>(row.count) / static_cast<double>(std::max<Index>(total, 1));
    const Index length = ceil_div(row.count * longest, largest);  // whatever occurs can be seen
    text += fmt::format("  {:<{}} {:>8} {:>5.1f} %", printable(row.label.substr(0, kMostWidth)),
                        width, row.count, share);
    if (length > 0) text += "  " + std::string(static_cast<std::size_t>(length), '#');
    text += '\n';
  }
  if (rows.size() > kShown)
    text += fmt::format("  and {} more, which --json lists\n", rows.size() - kShown);
  return text;
}

std::string skipped_as_text(const Summary& s) {
  constexpr std::size_t kShown = 12;
  if (s.reasons.empty()) return "nothing is skipped\n";
  std::string text = fmt::format("skipped: {}\n", s.skipped);
  for (std::size_t i = 0; i < std::min(kShown, s.reasons.size()); ++i) {
    const SkippedGroup& group = s.reasons[i];
    text += fmt::format("  {:>6}  {}\n          such as {}\n", group.count, printable(group.reason),
                        printable(group.example));
  }
  if (s.reasons.size() > kShown)
    text += fmt::format("  and {} more reasons, which --json lists\n", s.reasons.size() - kShown);
  return text;
}

// What the copies of a set contradict each other in.
struct CopiesSummary {
  std::size_t extra = 0, ages_differ = 0, genders_differ = 0, left_out = 0;
  std::vector<const Copies*> conflicts;
};

CopiesSummary summarize(const std::vector<Copies>& copies) {
  CopiesSummary s;
  for (const Copies& group : copies) {
    s.extra += group.paths.size() - 1;
    s.ages_differ += group.ages_differ();
    s.genders_differ += group.genders_differ();
    s.left_out += group.left_out;
    if (group.ages_differ() || group.genders_differ() || group.left_out)
      s.conflicts.push_back(&group);
  }
  return s;
}

std::string copies_as_text(const std::vector<Copies>& copies) {
  constexpr std::size_t kShown = 4, kShownPaths = 4;
  if (copies.empty()) return "no picture occurs twice\n";
  const CopiesSummary s = summarize(copies);
  std::string text = fmt::format(
      "copies: {} pictures occur more than once and count once ({} faces fewer)\n"
      "  {:>6}  have different ages: up to {:g} years apart their median stands\n"
      "  {:>6}  of all are left out: ages further apart, or different persons\n"
      "  {:>6}  have different genders: it counts as unknown\n",
      copies.size(), s.extra, s.ages_differ, kMaxAgesApart, s.left_out, s.genders_differ);
  for (std::size_t i = 0; i < std::min(kShown, s.conflicts.size()); ++i) {
    const Copies& group = *s.conflicts[i];
    text += "  such as\n";
    for (std::size_t j = 0; j < std::min(kShownPaths, group.paths.size()); ++j)
      text += fmt::format("    age {:g}, {}: {}\n", group.ages[j], gender_name(group.genders[j]),
                          printable(group.paths[j]));
  }
  return text;
}

nlohmann::ordered_json as_json(const Copies& group) {
  nlohmann::ordered_json genders = nlohmann::ordered_json::array();
  for (const std::int32_t gender : group.genders) genders.push_back(gender_name(gender));
  return {{"paths", group.paths},
          {"ages", group.ages},
          {"genders", genders},
          {"left_out", group.left_out}};
}

nlohmann::ordered_json copies_as_json(const std::vector<Copies>& copies) {
  const CopiesSummary s = summarize(copies);
  nlohmann::ordered_json conflicts = nlohmann::ordered_json::array();
  for (const Copies* group : s.conflicts) conflicts.push_back(as_json(*group));
  return {{"groups", copies.size()},      {"faces_fewer", s.extra},
          {"ages_differ", s.ages_differ}, {"genders_differ", s.genders_differ},
          {"left_out", s.left_out},       {"conflicts", conflicts}};
}

std::string unknown_genders_as_text(const FaceDataset& dataset) {
  if (dataset.unknown_genders.empty()) return "";
  constexpr std::size_t kShown = 8, kLongest = 24;
  std::string text = "  unknown, as written:\n";
  std::size_t shown = 0;
  for (const auto& [word, count] : dataset.unknown_genders)
    if (shown++ < kShown)
      text += fmt::format("    {:>6}  {}\n", count,
                          word.empty() ? "(empty)" : printable(word.substr(0, kLongest)));
  if (shown > kShown) text += fmt::format("    and {} more words\n", shown - kShown);
  return text;
}

nlohmann::ordered_json as_object(const std::vector<Count>& rows) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const Count& row : rows) object[row.label] = row.count;
  return object;
}

// Breaks lines between words, at 80 columns; `indent` stands before each but the first.
std::string wrapped(std::string_view text, std::string_view indent) {
  std::string lines;
  std::size_t column = indent.size();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column + end + 1 > 80) {
      lines += fmt::format("\n{}", indent);
      column = indent.size();
    } else if (!lines.empty()) {
      lines += ' ';
      ++column;
    }
    lines += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '?';
  return text;
}

nlohmann::ordered_json data_as_json(const FaceDataset& dataset) {
  const Summary s = summarize(dataset);
  nlohmann::ordered_json reasons = nlohmann::ordered_json::array();
  for (const SkippedGroup& group : s.reasons)
    reasons.push_back(
        {{"reason", group.reason}, {"count", group.count}, {"example", group.example}});
  return {{"format", dataset.format},
          {"lacks", lacking(dataset)},
          {"faces", s.faces},
          {"age",
           {{"mean", s.mean_age},
            {"min", s.youngest},
            {"max", s.oldest},
            {"decades", as_object(s.decades)}}},
          {"gender", as_object(s.genders)},
          {"gender_words_unknown", dataset.unknown_genders},
          {"race", as_object(s.races)},
          {"subjects", s.subjects},
          {"copies", copies_as_json(dataset.copies)},
          {"skipped", s.skipped},
          {"skipped_reasons", reasons}};
}

std::string data_as_text(const FaceDataset& dataset) {
  const Summary s = summarize(dataset);
  std::string text =
      fmt::format("{} faces, {} skipped\nformat {}", s.faces, s.skipped, dataset.format);
  const std::vector<std::string> absent = lacking(dataset);
  text += absent.empty() ? "\n" : fmt::format(", without {}\n", listed(absent));
  text += fmt::format("\nage: mean {:.1f}, from {:g} to {:g} years\n{}", s.mean_age, s.youngest,
                      s.oldest, bars(s.decades));
  text += fmt::format("\ngender\n{}{}\nrace\n{}", bars(s.genders), unknown_genders_as_text(dataset),
                      bars(s.races));
  text += s.subjects > 0 ? fmt::format("\n{} different people\n", s.subjects)
                         : "\nwhich person a face belongs to is not known\n";
  return text + "\n" + copies_as_text(dataset.copies) + "\n" + skipped_as_text(s);
}

std::string formats_as_text() {
  std::string text;
  for (const FaceFormat& format : face_formats()) {
    text += fmt::format("{}\n  layout   {}\n  genders  {}\n", format.name,
                        wrapped(format.layout, "           "), format.genders);
    if (!format.lacks.empty()) text += fmt::format("  lacks    {}\n", format.lacks);
    text += '\n';
  }
  return text + fmt::format("Pictures are {}, in upper or lower case.\n", kPictureExtensions);
}

nlohmann::ordered_json formats_as_json() {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const FaceFormat& format : face_formats())
    all.push_back({{"name", format.name},
                   {"layout", format.layout},
                   {"genders", format.genders},
                   {"lacks", format.lacks}});
  return all;
}

}  // namespace twinage
