// The table of losses: one row each.
#include "core/error.h"
#include "kernels/triplet/triplet.h"
#include "siamese/losses/head_forms.h"
#include "siamese/losses/make_losses.h"

namespace twinage {
namespace {

using Made = std::unique_ptr<Loss>;

struct Row {
  Task task;
  std::string_view name, help;
  Made (*make)(const LossSetup&);
  // The head's layer, its outputs and what they say. Of embeddings: linear, as wide as they are.
  const HeadForm* form = nullptr;
};

// Its name is that of its formula.
template <PairLossKind kind>
constexpr Row of_pairs(std::string_view help) {
  return {Task::embedding, name_of(kind), help,
          [](const LossSetup& setup) { return make_pair_loss(kind, setup); }};
}
template <TripletKind kind>
Made of_triplets(const LossSetup& setup) {
  return make_triplet_loss(kind, setup);
}

constexpr Row kLosses[] = {
    of_pairs<PairLossKind::contrastive>("pairs: one age together, others a margin apart"),
    of_pairs<PairLossKind::revised_contrastive>("the paper's: within tau years is one age"),
    of_pairs<PairLossKind::graded_contrastive>("the same, the margin grows with the gap"),
    of_pairs<PairLossKind::gap_regression>("pairs: distance = gap in units of scale years"),
    {Task::embedding, "triplet-hard", "batch: farthest of its class, nearest other",
     of_triplets<TripletKind::hard>},
    {Task::embedding, "triplet-all", "batch: mean over all triplets not yet right",
     of_triplets<TripletKind::all>},
    {Task::embedding, "scale-varying-triplet", "batch: nearer in age nearer, close ages first",
     make_scale_varying_triplet_loss},
    {Task::embedding, "log-ratio", "batch: distances in the ratios of the gaps",
     make_log_ratio_loss},
    {Task::embedding, "rank-n-contrast", "batch: of those as far in age, the nearest",
     make_rank_n_contrast_loss},
    {Task::embedding, "lifted", "batch: a pair of one age against all others", make_lifted_loss},
    {Task::embedding, "n-pair", "batch: the same on inner products", make_n_pair_loss},
    {Task::gender, "cross-entropy", "softmax over male and female", make_gender_loss,
     &kGenderClasses},
    {Task::age, "cross-entropy", "softmax over the ages 0 to 100 (DEX)", make_age_loss,
     &kAgeClasses},
    {Task::age, "label-distribution", "KL to N(age, sigma), and its mean (DLDL-v2)",
     make_label_distribution_loss, &kAgeClasses},
    {Task::age, "mean-variance", "cross-entropy, error of the mean, variance",
     make_mean_variance_loss, &kAgeClasses},
    {Task::age, "ranking", "older than k? for each k of 0 to 99 (CORAL)", make_ranking_loss,
     &kAgeRanks},
    {Task::age, "regression", "one number: its error (L1)", make_regression_loss, &kAgeNumber},
    {Task::age, "ssr", "three stages of three bins: L1 (SSR-Net)", make_stagewise_loss,
     &kAgeStages},
};

const Row& row_of(Task task, const LossName& name) {
  for (const Row& row : kLosses)
    if (row.task == task && row.name == name.name) return row;
  fail_unknown_name(fmt::format("loss of {}", to_string(task)), loss_names(task), name.name);
}

}  // namespace

std::unique_ptr<Loss> make_loss(Task task, const LossName& name, const LossSetup& setup) {
  return row_of(task, name).make(setup);
}

HeadForm head_form(Task task, const LossName& name, Index embedding_width) {
  const HeadForm* form = row_of(task, name).form;
  return form != nullptr ? *form : HeadForm{.outputs = embedding_width};
}

std::vector<std::string> loss_names(Task task) {
  std::vector<std::string> names;
  for (const Row& row : kLosses)
    if (row.task == task) names.emplace_back(row.name);
  return names;
}

std::string losses_table() {
  std::string text;
  for (const Row& row : kLosses)
    text += fmt::format("  {:<9} {:<21} {}\n", to_string(row.task), row.name, row.help);
  return text;
}

}  // namespace twinage
