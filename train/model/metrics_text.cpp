// Metrics for programs (JSON) and for people (a table).
#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "train/model/metrics.h"

namespace twinage {
namespace {

using Json = nlohmann::ordered_json;

Json group_json(const GroupMetrics& group) {
  Json json = {{"name", group.name},
               {"count", group.count},
               {"few_faces", group.is_small()},
               {"mae_years", group.mae},
               {"median_error_years", group.median_error},
               {"bias_years", group.bias},
               {"cs", group.cs},
               {"ca3", group.cs[3]},
               {"ca5", group.cs[5]},
               {"ca7", group.cs[7]},
               {"interval_share", nullptr},
               {"interval_width_years", nullptr},
               {"gender_labelled", group.gender_labelled},
               {"gender_accuracy", nullptr},
               {"verification", nullptr}};
  const auto add = [&](const char* key, const std::optional<Spread>& spread) {
    json[key] = nullptr;
    if (spread) json[key] = {spread->low, spread->high};
  };
  add("mae_95", group.mae_spread);
  add("bias_95", group.bias_spread);
  add("interval_share_95", group.interval_spread);
  add("gender_accuracy_95", group.gender_spread);
  if (group.interval_share) json["interval_share"] = *group.interval_share;
  if (group.interval_width) json["interval_width_years"] = *group.interval_width;
  if (group.gender_accuracy) json["gender_accuracy"] = *group.gender_accuracy;
  if (group.verification)
    json["verification"] = {{"pairs", group.verification->pairs},
                            {"accuracy", group.verification->accuracy},
                            {"auc", group.verification->auc}};
  return json;
}

Json groups_json(const std::vector<GroupMetrics>& groups) {
  Json json = Json::array();
  for (const GroupMetrics& group : groups) json.push_back(group_json(group));
  return json;
}

// A share in per cent, or a dash.
std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.1f}", 100 * *share) : "-";
}

std::string table_row(const GroupMetrics& group) {
  std::optional<double> auc;
  if (group.verification) auc = group.verification->auc;
  // A long name, of a race say, gets a line of its own.
  constexpr std::size_t kWidth = 9;
  const bool is_long = group.name.size() > kWidth;
  const std::string title = group.name + "\n";
  return fmt::format("{}{:<9}{:>6}{}{:>7.2f}{:>8.2f}{:>+7.2f}{:>6}{:>6}{:>6}{:>7}{:>8}{:>7}\n",
                     is_long ? title : "", is_long ? "" : group.name, group.count,
                     group.is_small() ? '*' : ' ', group.mae, group.median_error, group.bias,
                     percent(group.cs[3]), percent(group.cs[5]), percent(group.cs[7]),
                     percent(group.interval_share), percent(group.gender_accuracy), percent(auc));
}

bool has_small_groups(const Metrics& m) {
  const auto is_small = [](const GroupMetrics& group) { return group.is_small(); };
  return is_small(m.all) || (m.ten_and_older && is_small(*m.ten_and_older)) ||
         std::ranges::any_of(m.by_decade, is_small) || std::ranges::any_of(m.by_gender, is_small) ||
         std::ranges::any_of(m.by_race, is_small);
}

void add_groups(std::string& table, const char* title, const std::vector<GroupMetrics>& groups) {
  if (groups.empty()) return;
  table += fmt::format("{}\n", title);
  for (const GroupMetrics& group : groups) table += table_row(group);
}

// Two rows of eight.
void add_cumulative_scores(std::string& table, const GroupMetrics& all) {
  for (std::size_t first = 0; first < all.cs.size(); first += 8) {
    table += fmt::format("{:<24}", "error at most, years");
    for (std::size_t t = first; t < first + 8; ++t) table += fmt::format("{:>6}", t);
    table += fmt::format("\n{:<24}", "  of all faces, %");
    for (std::size_t t = first; t < first + 8; ++t)
      table += fmt::format("{:>6}", percent(all.cs[t]));
    table += "\n";
  }
}

}  // namespace

nlohmann::ordered_json to_json(const Metrics& metrics) {
  Json json = {{"all", group_json(metrics.all)},
               {"ten_and_older", nullptr},
               {"by_decade", groups_json(metrics.by_decade)},
               {"by_gender", groups_json(metrics.by_gender)},
               {"by_race", groups_json(metrics.by_race)},
               {"baseline",
                {{"training_mean_years", metrics.training_mean},
                 {"mae_of_training_mean_years", metrics.mae_of_training_mean},
                 {"training_median_years", metrics.training_median},
                 {"mae_of_training_median_years", metrics.mae_of_training_median}}},
               {"same_class", nullptr}};
  if (metrics.ten_and_older) json["ten_and_older"] = group_json(*metrics.ten_and_older);
  if (const auto& asked = metrics.verification)
    json["same_class"] = {{"tau_years", asked->tau},
                          {"threshold", asked->threshold},
                          {"pairs", asked->pairs},
                          {"seed", asked->seed}};
  return json;
}

std::string to_table(const Metrics& metrics) {
  std::string table =
      fmt::format("{:<9}{:>6} {:>7}{:>8}{:>7}{:>6}{:>6}{:>6}{:>7}{:>8}{:>7}\n", "", "faces", "MAE",
                  "median", "bias", "CA(3)", "CA(5)", "CA(7)", "inside", "gender", "AUC");
  table += table_row(metrics.all);
  if (metrics.ten_and_older) table += table_row(*metrics.ten_and_older);
  add_groups(table, "by age", metrics.by_decade);
  add_groups(table, "by gender", metrics.by_gender);
  add_groups(table, "by race", metrics.by_race);
  table += "\n";
  add_cumulative_scores(table, metrics.all);
  table +=
      "\nMAE, median of |error|, bias (estimate - truth): years; the rest in per cent.\n"
      "CA(n): error <= n years.";
  table +=
      metrics.all.interval_width
          ? fmt::format(
                " inside: true age within the interval, which is {:.1f}\nyears wide on average.",
                *metrics.all.interval_width)
          : " inside: this model has no intervals.\n";
  table +=
      metrics.all.gender_accuracy || metrics.all.gender_labelled == 0
          ? fmt::format(" gender: of the {} faces with a label.\n", metrics.all.gender_labelled)
          : " gender: this model reads none.\n";
  if (has_small_groups(metrics))
    table += fmt::format(
        "*: fewer than {} faces; chance alone moves shares by 10 points and more.\n", kFewFaces);
  if (!metrics.verification)
    table += "AUC: left out, there are no distances to tell faces of the same class by.\n";
  if (metrics.verification && metrics.all.verification)
    table += fmt::format(
        "AUC: pairs of faces of the same class (ages within {:g} years) against others;\n"
        "told apart at distance {:.3f}: {:.1f} % right of {} pairs, half of either kind.\n",
        metrics.verification->tau, metrics.verification->threshold,
        100 * metrics.all.verification->accuracy, metrics.all.verification->pairs);
  table += fmt::format(
      "Saying the training faces' mean age, {:.1f}, for everyone: MAE {:.2f};\n"
      "their median age, {:.1f}: {:.2f}.\n",
      metrics.training_mean, metrics.mae_of_training_mean, metrics.training_median,
      metrics.mae_of_training_median);
  return table;
}

}  // namespace twinage
