#include "tools/report/data_sections.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"
#include "tools/charts/svg.h"
#include "tools/data_command.h"
#include "tools/report/sheets.h"
#include "train/faces/copies.h"
#include "train/faces/pictures/image.h"
#include "train/faces/pictures/picture_size.h"

namespace twinage {
namespace {

constexpr std::size_t kContacts = 240, kSide = 96;
constexpr int kQuality = 70;
constexpr std::size_t kRowsShown = 30;

std::string count_text(std::size_t count) {
  return tick_text(static_cast<double>(count));
}

// Faces of each 5 years, stacked by a label of theirs.
Columns columns_by(const FaceDataset& dataset, std::int32_t Face::*label,
                   const std::vector<std::string>& names) {
  constexpr double kYears = 5;
  Columns chart;
  chart.x_axis = "age, years";
  chart.y_axis = "faces";
  chart.width = kYears;
  chart.series = names;
  chart.series.emplace_back("unknown");
  for (const Face& face : dataset.faces) {
    const auto column = static_cast<std::size_t>(static_cast<double>(face.age) / kYears);
    if (chart.heights.size() <= column)
      chart.heights.resize(column + 1, std::vector<double>(names.size() + 1, 0));
    const bool known = face.*label >= 0;
    ++chart.heights[column][known ? static_cast<std::size_t>(face.*label) : names.size()];
  }
  for (std::size_t s = chart.series.size(); s-- > 0;) {  // labels that no face has
    if (std::ranges::any_of(chart.heights, [s](const auto& column) { return column[s] > 0; }))
      continue;
    chart.series.erase(chart.series.begin() + static_cast<std::ptrdiff_t>(s));
    for (auto& column : chart.heights)
      column.erase(column.begin() + static_cast<std::ptrdiff_t>(s));
  }
  return chart;
}

bool any_known(const FaceDataset& dataset, std::int32_t Face::*label) {
  return std::ranges::any_of(dataset.faces, [&](const Face& face) { return face.*label >= 0; });
}

Table skipped_table(const FaceDataset& dataset) {
  std::map<std::string, std::pair<std::size_t, std::string>> reasons;
  for (const Skipped& s : dataset.skipped) {
    auto& [count, example] = reasons[s.reason];
    if (count++ == 0) example = s.where.empty() ? s.path : s.path + " (" + s.where + ")";
  }
  std::vector<std::pair<std::string, std::pair<std::size_t, std::string>>> sorted(reasons.begin(),
                                                                                  reasons.end());
  std::ranges::stable_sort(sorted, std::greater(), [](const auto& r) { return r.second.first; });
  Table table{fmt::format("Left out: {} files", count_text(dataset.skipped.size())),
              {"why", "such as", "files"},
              {},
              2};
  for (const auto& [reason, found] : sorted) {
    if (table.rows.size() == kRowsShown) break;
    table.rows.push_back({reason, found.second, count_text(found.first)});
  }
  return table;
}

Table conflicts_table(const FaceDataset& dataset) {
  Table table{"Pictures that occur more than once, with labels that differ",
              {"files", "ages", "what became of them"},
              {},
              3};
  for (const Copies& group : dataset.copies) {
    if (!group.ages_differ() && !group.genders_differ() && !group.left_out) continue;
    if (table.rows.size() == kRowsShown) break;
    std::string files, ages;
    for (std::size_t i = 0; i < group.paths.size(); ++i) {
      const char* join = i == 0 ? "" : ", ";
      files += join + std::filesystem::path(group.paths[i]).filename().string();
      ages += fmt::format("{}{:g}", join, group.ages[i]);
    }
    table.rows.push_back({files, ages,
                          group.left_out        ? "all left out"
                          : group.ages_differ() ? "the median age stands"
                                                : "the gender counts as unknown"});
  }
  return table;
}

// Of each face; nothing where the file cannot be read any more.
std::vector<std::optional<PictureSize>> sizes_of(const FaceDataset& dataset, int threads) {
  std::vector<std::optional<PictureSize>> sizes(dataset.faces.size());
  parallel_for(threads, static_cast<Index>(sizes.size()), [&](Index i, int) {
    const auto face = static_cast<std::size_t>(i);
    try {
      sizes[face] = picture_size(read_binary_file(dataset.faces[face].path, kMaxImageBytes));
    } catch (const Error&) {
      sizes[face].reset();
    }
  });
  return sizes;
}

// Pictures by their shorter side, which is what a face that is cropped to a square keeps.
Columns columns_by_side(const std::vector<PictureSize>& sizes) {
  constexpr double kMostColumns = 40;
  const auto side = [](const PictureSize& s) { return std::min(s.width, s.height); };
  const Index longest = side(std::ranges::max(sizes, {}, side));
  double width = 10;
  while (static_cast<double>(longest) / width >= kMostColumns) width *= width == 10 ? 2.5 : 2;
  Columns chart;
  chart.x_axis = "shorter side, pixels";
  chart.y_axis = "pictures";
  chart.width = width;
  chart.series = {"pictures"};
  chart.heights.resize(static_cast<std::size_t>(static_cast<double>(longest) / width) + 1, {0});
  for (const PictureSize& s : sizes)
    ++chart.heights[static_cast<std::size_t>(static_cast<double>(side(s)) / width)][0];
  return chart;
}

void add_sizes(Section& section, const FaceDataset& dataset, int threads) {
  constexpr std::size_t kShown = 8;
  std::vector<PictureSize> sizes;
  for (const auto& size : sizes_of(dataset, threads))
    if (size) sizes.push_back(*size);
  if (sizes.empty()) return;
  section.figures.push_back({"sizes", "Sizes of the pictures",
                             fmt::format("{} pictures.", count_text(sizes.size())),
                             columns_by_side(sizes)});
  std::map<std::pair<Index, Index>, std::size_t> counts;
  for (const PictureSize& s : sizes) ++counts[{s.width, s.height}];
  std::vector<std::pair<std::pair<Index, Index>, std::size_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::greater(), [](const auto& c) { return c.second; });
  Table table{sorted.size() > kShown ? fmt::format("The {} most frequent of {} sizes", kShown,
                                                   count_text(sorted.size()))
                                     : "Sizes",
              {"width x height, pixels", "pictures"},
              {}};
  for (const auto& [size, count] : sorted) {
    if (table.rows.size() == kShown) break;
    table.rows.push_back({fmt::format("{} x {}", size.first, size.second), count_text(count)});
  }
  section.tables.push_back(std::move(table));
}

std::string summary_of(const FaceDataset& dataset) {
  if (dataset.faces.empty()) return "no face that can be used";
  const auto [youngest, oldest] = std::ranges::minmax(dataset.faces, {}, &Face::age);
  return fmt::format(
      "{} faces, {:g} to {:g} years old; {} files left out, {} pictures there more than once",
      count_text(dataset.faces.size()), youngest.age, oldest.age,
      count_text(dataset.skipped.size()), count_text(dataset.copies.size()));
}

}  // namespace

Section data_section(const FaceDataset& dataset, const std::string& where) {
  Section section{"data", "The faces: " + where};
  section.paragraphs.push_back(summary_of(dataset) + ".");
  if (!dataset.copies.empty()) section.paragraphs.push_back(copies_text(dataset) + ".");
  const std::string n = fmt::format("{} faces.", count_text(dataset.faces.size()));
  if (!dataset.faces.empty()) {
    section.figures.push_back({"ages-gender", "Ages, by gender", n,
                               columns_by(dataset, &Face::gender, {"male", "female"})});
    if (any_known(dataset, &Face::race))
      section.figures.push_back({"ages-race", "Ages, by race as the data set names it", n,
                                 columns_by(dataset, &Face::race, dataset.race_names)});
  }
  if (Table table = conflicts_table(dataset); !table.rows.empty())
    section.tables.push_back(std::move(table));
  if (!dataset.skipped.empty()) section.tables.push_back(skipped_table(dataset));
  return section;
}

Report data_report(const FaceDataset& dataset, const std::string& where, bool pictures,
                   int threads) {
  Report report;
  report.title = "Faces of " + where;
  report.summary = summary_of(dataset) + ".";
  report.sections.push_back(data_section(dataset, where));
  add_sizes(report.sections.back(), dataset, threads);
  if (!pictures || dataset.faces.empty()) return report;
  std::vector<const Face*> order;
  for (const Face& face : dataset.faces) order.push_back(&face);
  std::ranges::stable_sort(order, {}, [](const Face* face) { return face->age; });
  std::vector<std::string> paths;
  std::vector<const Face*> chosen;
  const std::size_t count = std::min(kContacts, order.size());
  for (std::size_t i = 0; i < count; ++i)
    chosen.push_back(order[count > 1 ? i * (order.size() - 1) / (count - 1) : 0]);
  for (const Face* face : chosen) paths.push_back(face->path);
  Thumbnails thumbnails = thumbnails_of(paths, kSide, kQuality, threads);
  Section contacts{"contacts", "Contact sheet"};
  contacts.paragraphs.push_back(fmt::format(
      "{} of {} faces, evenly over their ages. Are all of them one face, upright, cropped alike?",
      count, count_text(dataset.faces.size())));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    Portrait p{std::filesystem::path(paths[i]).filename().string(),
               fmt::format("{:g}, {}", chosen[i]->age, gender_name(chosen[i]->gender))};
    if (thumbnails.places[i]) {
      p.sheet = 0;
      p.place = *thumbnails.places[i];
    }
    contacts.strip.push_back(std::move(p));
  }
  report.sections.push_back(std::move(contacts));
  if (thumbnails.sheet.count > 0) report.sheets.push_back(std::move(thumbnails.sheet));
  return report;
}

}  // namespace twinage
