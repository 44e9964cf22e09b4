#include "tools/data_command.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <unistd.h>

#include "core/output.h"
#include "core/parallel.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "train/face_store.h"

namespace twinage {
namespace {

constexpr const char* kHelp =
    "Says what faces are found under PATH and what is skipped and why, before you\n"
    "train on them. PATH is a folder of pictures named age_gender_race_time.jpg (as\n"
    "in UTKFace, and as 'twinage synth' writes them) or a CSV manifest with a header\n"
    "line such as path,age,gender,race,subject.\n\n"
    "  twinage data faces                     counts, ages, what is skipped\n"
    "  twinage data faces --decode            also finds pictures that are damaged\n"
    "  twinage data faces.csv --json          for programs";

struct DataArguments {
  std::string path;
  bool json = false, decode = false;
};

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

// A line for each value from 0 to names - 1, and one for -1, unknown, where it occurs.
std::vector<Count> count_labels(const FaceDataset& dataset, std::int32_t Face::*label,
                                std::int32_t names, std::string_view (*name_of)(std::int32_t)) {
  std::vector<Count> counts;
  for (std::int32_t value = 0; value < names; ++value)
    counts.push_back({std::string(name_of(value)), 0});
  counts.push_back({std::string(name_of(-1)), 0});
  for (const Face& face : dataset.faces) {
    const std::int32_t value = face.*label < 0 ? names : face.*label;
    ++counts[static_cast<std::size_t>(value)].count;
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
        groups.try_emplace(s.reason, SkippedGroup{s.reason, 0, s.path}).first->second;
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
  s.genders = count_labels(dataset, &Face::gender, kGenders, gender_name);
  s.races = count_labels(dataset, &Face::race, kRaces, race_name);
  s.reasons = group_by_reason(dataset.skipped);
  return s;
}

// One line a row: label, count, share, and a bar that fills the 80 columns for the largest count.
std::string bars(const std::vector<Count>& rows) {
  constexpr Index kLongest = 80 - 30;
  Index total = 0, largest = 1;
  for (const Count& row : rows) {
    total += row.count;
    largest = std::max(largest, row.count);
  }
  std::string text;
  for (const Count& row : rows) {
    const double share =
        100.0 * static_cast<double>(row.count) / static_cast<double>(std::max<Index>(total, 1));
    const Index length = ceil_div(row.count * kLongest, largest);  // whatever occurs can be seen
    text += fmt::format("  {:<8} {:>8} {:>5.1f} %", row.label, row.count, share);
    if (length > 0) text += "  " + std::string(static_cast<std::size_t>(length), '#');
    text += '\n';
  }
  return text;
}

// Names of files may hold anything; control characters would move the cursor about.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '?';
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

nlohmann::ordered_json as_object(const std::vector<Count>& rows) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const Count& row : rows) object[row.label] = row.count;
  return object;
}

// Decodes every picture and forgets it; what fails is moved to dataset.skipped.
void find_damaged_pictures(FaceDataset& dataset) {
  const bool show_progress = ::isatty(STDERR_FILENO) == 1;
  Index shown = -1;
  const FaceStore store(dataset, 1, hardware_threads(), 0, [&](Index done, Index total) {
    const Index percent = 100 * done / total;
    if (!show_progress || percent == shown) return;
    shown = percent;
    note("\rdecoding {:>3} %{}", percent, done == total ? "\r\033[K" : "");
  });
}

void run(const DataArguments& a) {
  FaceDataset dataset = find_faces(a.path);
  if (a.decode) find_damaged_pictures(dataset);
  if (a.json) {
    nlohmann::ordered_json all = {{"path", a.path}, {"decoded", a.decode}};
    all.update(data_as_json(dataset));
    fmt::print("{}\n", to_text(all));
    return;
  }
  fmt::print("{}\n{}", printable(a.path), data_as_text(dataset));
  if (a.decode)
    fmt::print("every face counted here could be decoded\n");
  else
    fmt::print("only names and labels were looked at; --decode also reads the pictures\n");
}

}  // namespace

nlohmann::ordered_json data_as_json(const FaceDataset& dataset) {
  const Summary s = summarize(dataset);
  nlohmann::ordered_json reasons = nlohmann::ordered_json::array();
  for (const SkippedGroup& group : s.reasons)
    reasons.push_back(
        {{"reason", group.reason}, {"count", group.count}, {"example", group.example}});
  return {{"format", dataset.format},
          {"faces", s.faces},
          {"age",
           {{"mean", s.mean_age},
            {"min", s.youngest},
            {"max", s.oldest},
            {"decades", as_object(s.decades)}}},
          {"gender", as_object(s.genders)},
          {"race", as_object(s.races)},
          {"subjects", s.subjects},
          {"skipped", s.skipped},
          {"skipped_reasons", reasons}};
}

std::string data_as_text(const FaceDataset& dataset) {
  const Summary s = summarize(dataset);
  std::string text = fmt::format(
      "{} faces, {} skipped ({})\n", s.faces, s.skipped,
      dataset.format == "utkface" ? "labels from UTKFace names" : "labels from a CSV manifest");
  text += fmt::format("\nage: mean {:.1f}, from {:g} to {:g} years\n{}", s.mean_age, s.youngest,
                      s.oldest, bars(s.decades));
  text += fmt::format("\ngender\n{}\nrace\n{}", bars(s.genders), bars(s.races));
  text += s.subjects > 0 ? fmt::format("\n{} different people\n", s.subjects)
                         : "\nwhich person a face belongs to is not known\n";
  return text + "\n" + skipped_as_text(s);
}

void add_data_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("data", "say what faces a folder or manifest holds");
  command->footer(kHelp);
  auto a = std::make_shared<DataArguments>();
  command->add_option("PATH", a->path, "a folder of pictures or a CSV manifest")->required();
  command->add_flag("--decode", a->decode, "decode every picture and report the damaged ones");
  command->add_flag("--json", a->json, "print a JSON object");
  command->callback([a] { run(*a); });
}

}  // namespace twinage
