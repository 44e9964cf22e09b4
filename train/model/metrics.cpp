#include "train/model/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "kernels/distance/distance.h"
#include "siamese/pairs.h"
#include "siamese/twin_network.h"

namespace twinage {
namespace {

constexpr std::array kGenderNames{"male", "female"};

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

// Everything that the metrics of a group are computed from.
struct Evaluation {
  const Context& ctx;
  std::span<const Face> faces;
  const Predictions& predictions;
  const VerificationOptions& options;
};

std::optional<Verification> verify(const Evaluation& e, std::span<const Index> members) {
  const Index width = e.predictions.embeddings.shape.c;
  if (e.predictions.embeddings.data == nullptr) return std::nullopt;
  Tensor z(matrix(static_cast<Index>(members.size()), width));
  std::vector<float> ages;
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::copy_n(e.predictions.embeddings.pixel(members[i]), width,
                z.view().pixel(static_cast<Index>(i)));
    ages.push_back(e.faces[static_cast<std::size_t>(members[i])].age);
  }
  const LabelledDistances pairs =
      sample_distances(e.ctx, z.view(), ages, e.options.tau, e.options.pairs, e.options.seed);
  if (pairs.distances.empty()) return std::nullopt;
  return Verification{static_cast<Index>(pairs.distances.size()),
                      verification_accuracy(pairs, e.options.threshold), roc_auc(pairs)};
}

void set_spreads(GroupMetrics& group, std::vector<double> sizes, std::vector<double> errors,
                 std::vector<double> insides, const std::vector<double>& rights) {
  const std::array columns{std::move(sizes), std::move(errors), std::move(insides)};
  const auto spreads = bootstrap_of_means(columns);
  group.mae_spread = spreads[0];
  group.bias_spread = spreads[1];
  if (group.interval_share) group.interval_spread = spreads[2];
  if (group.gender_accuracy) group.gender_spread = bootstrap_of_means(std::span(&rights, 1))[0];
}

GroupMetrics measure(const Evaluation& e, std::string name, std::span<const Index> members) {
  GroupMetrics group;
  group.name = std::move(name);
  group.count = static_cast<Index>(members.size());
  std::vector<double> errors, sizes, insides, rights;
  double width = 0;
  for (const Index member : members) {
    const auto i = static_cast<std::size_t>(member);
    const Face& face = e.faces[i];
    const AgeEstimate& estimate = e.predictions.ages[i];
    errors.push_back(static_cast<double>(estimate.age) - static_cast<double>(face.age));
    sizes.push_back(std::fabs(errors.back()));
    width += static_cast<double>(estimate.high) - static_cast<double>(estimate.low);
    insides.push_back(estimate.low <= face.age && face.age <= estimate.high ? 1 : 0);
    if (face.gender < 0) continue;
    ++group.gender_labelled;
    if (e.predictions.female.empty()) continue;
    rights.push_back(says_female(e.predictions.female[i]) == (face.gender == 1) ? 1 : 0);
  }
  const auto count = static_cast<double>(group.count);
  group.mae = mean(sizes);
  group.median_error = median(sizes);
  group.bias = mean(errors);
  for (std::size_t t = 0; t < group.cs.size(); ++t)
    group.cs[t] = static_cast<double>(std::ranges::count_if(
                      sizes, [&](double size) { return size <= static_cast<double>(t); })) /
                  count;
  if (e.predictions.intervals) {
    group.interval_share = mean(insides);
    group.interval_width = width / count;
  }
  if (!rights.empty()) group.gender_accuracy = mean(rights);
  set_spreads(group, sizes, errors, insides, rights);
  group.verification = verify(e, members);
  return group;
}

// One group for each value of `key` in [0, names), in this order, then "unknown" for the others;
// none at all when every face is unknown.
template <class Names, class Key>
std::vector<GroupMetrics> measure_groups(const Evaluation& e, const Names& names, Key key) {
  std::vector<std::vector<Index>> members(names.size() + 1);
  for (std::size_t i = 0; i < e.faces.size(); ++i) {
    const auto value = static_cast<Index>(key(e.faces[i]));
    const bool known = value >= 0 && value < static_cast<Index>(names.size());
    members[known ? static_cast<std::size_t>(value) : names.size()].push_back(
        static_cast<Index>(i));
  }
  std::vector<GroupMetrics> groups;
  if (members.back().size() == e.faces.size()) return groups;
  for (std::size_t g = 0; g <= names.size(); ++g)
    if (!members[g].empty())
      groups.push_back(measure(e, g < names.size() ? names[g] : "unknown", members[g]));
  return groups;
}

std::optional<GroupMetrics> measure_ten_and_older(const Evaluation& e) {
  std::vector<Index> members;
  for (std::size_t i = 0; i < e.faces.size(); ++i)
    if (e.faces[i].age >= 10) members.push_back(static_cast<Index>(i));
  if (members.empty() || members.size() == e.faces.size()) return std::nullopt;
  return measure(e, "from 10", members);
}

std::vector<std::string> decade_names(std::span<const Face> faces) {
  const float oldest = std::ranges::max(faces, {}, &Face::age).age;
  std::vector<std::string> names;
  for (int decade = 0; static_cast<float>(decade) <= oldest; decade += 10)
    names.push_back(fmt::format("{}-{}", decade, decade + 9));
  return names;
}

double mae_of_constant(std::span<const Face> faces, double age) {
  double sum = 0;
  for (const Face& face : faces) sum += std::fabs(static_cast<double>(face.age) - age);
  return sum / static_cast<double>(faces.size());
}

void check(std::span<const Face> faces, const Predictions& predictions,
           std::span<const float> training_ages) {
  require(!faces.empty() && !training_ages.empty(),
          "[metrics] expected faces to evaluate and ages trained on, got {} and {}", faces.size(),
          training_ages.size());
  require(predictions.ages.size() == faces.size() &&
              (predictions.female.empty() || predictions.female.size() == faces.size()),
          "[metrics] expected {} predictions, got {} ages and {} genders", faces.size(),
          predictions.ages.size(), predictions.female.size());
  require(predictions.embeddings.data == nullptr ||
              predictions.embeddings.shape.n == static_cast<Index>(faces.size()),
          "[metrics] expected {} embeddings, got {}", faces.size(), predictions.embeddings.shape);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const AgeEstimate& estimate = predictions.ages[i];
    const float female = predictions.female.empty() ? 0 : predictions.female[i];
    require(std::isfinite(estimate.age) && std::isfinite(estimate.low) &&
                std::isfinite(estimate.high) && std::isfinite(female),
            "[metrics] expected finite predictions, got age {} ({} to {}) and gender {} for {}",
            estimate.age, estimate.low, estimate.high, female, faces[i].path);
  }
}

}  // namespace

Metrics compute_metrics(const Context& ctx, std::span<const Face> faces,
                        const Predictions& predictions, std::span<const float> training_ages,
                        const VerificationOptions& verification,
                        std::span<const std::string> race_names) {
  check(faces, predictions, training_ages);
  const Evaluation e{ctx, faces, predictions, verification};
  std::vector<Index> everyone(faces.size());
  std::iota(everyone.begin(), everyone.end(), Index{0});

  Metrics metrics;
  if (predictions.embeddings.data != nullptr) metrics.verification = verification;
  metrics.all = measure(e, "all", everyone);
  metrics.ten_and_older = measure_ten_and_older(e);
  metrics.by_decade = measure_groups(e, decade_names(faces),
                                     [](const Face& face) { return std::floor(face.age / 10); });
  metrics.by_gender = measure_groups(e, kGenderNames, [](const Face& face) { return face.gender; });
  metrics.by_race = measure_groups(e, race_names, [](const Face& face) { return face.race; });

  const std::vector<double> ages(training_ages.begin(), training_ages.end());
  metrics.training_mean = mean(ages);
  metrics.training_median = median(ages);
  metrics.mae_of_training_mean = mae_of_constant(faces, metrics.training_mean);
  metrics.mae_of_training_median = mae_of_constant(faces, metrics.training_median);
  return metrics;
}

LabelledDistances sample_distances(const Context& ctx, ConstView z, std::span<const float> ages,
                                   float tau, Index pairs, std::uint64_t seed) {
  require(z.shape.n == static_cast<Index>(ages.size()), "[metrics] expected {} ages, got {}",
          z.shape.n, ages.size());
  LabelledDistances result;
  std::vector<float> sorted(ages.begin(), ages.end());
  std::ranges::sort(sorted);
  const auto close = [&](float younger, float older) { return older - younger <= tau; };
  if (std::ranges::adjacent_find(sorted, close) == sorted.end()) return result;
  if (close(sorted.front(), sorted.back())) return result;

  Random random(seed);
  const std::vector<Index> drawn = PairSampler(ages, tau, 0.5).sample(random, pairs);
  std::vector<IndexPair> indices;
  for (std::size_t p = 0; p < static_cast<std::size_t>(pairs); ++p) {
    const Index a = drawn[p], b = drawn[p + static_cast<std::size_t>(pairs)];
    indices.push_back({static_cast<std::int32_t>(a), static_cast<std::int32_t>(b)});
    const float gap =
        std::fabs(ages[static_cast<std::size_t>(a)] - ages[static_cast<std::size_t>(b)]);
    result.same.push_back(gap <= tau ? 1 : 0);
  }
  result.distances.resize(indices.size());
  distance_pairs_forward(ctx, result.distances.data(), z, indices);
  return result;
}

namespace {

std::vector<std::size_t> by_distance(const LabelledDistances& pairs) {
  require(!pairs.distances.empty() && pairs.distances.size() == pairs.same.size(),
          "[metrics] expected at least one pair, got {} distances and {} classes",
          pairs.distances.size(), pairs.same.size());
  std::vector<std::size_t> order(pairs.distances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return pairs.distances[i]; });
  return order;
}

// Calls f(distance, same, different) for every different distance, in increasing order, with how
// many pairs of either class have it.
template <class F>
void each_distance(const LabelledDistances& pairs, F f) {
  const std::vector<std::size_t> order = by_distance(pairs);
  for (std::size_t i = 0; i < order.size();) {
    const float distance = pairs.distances[order[i]];
    Index same = 0, different = 0;
    for (; i < order.size() && pairs.distances[order[i]] == distance; ++i)
      ++(pairs.same[order[i]] != 0 ? same : different);
    f(distance, same, different);
  }
}

}  // namespace

float best_threshold(const LabelledDistances& pairs) {
  // From a threshold below every distance on: each step wins the pairs of the same class that it
  // passes and loses the others.
  Index gain = 0, best_gain = 0;
  float best = -1;
  each_distance(pairs, [&](float distance, Index same, Index different) {
    gain += same - different;
    if (gain > best_gain) {
      best_gain = gain;
      best = distance;
    }
  });
  return best;
}

double verification_accuracy(const LabelledDistances& pairs, float threshold) {
  Index right = 0;
  each_distance(pairs, [&](float distance, Index same, Index different) {
    right += distance <= threshold ? same : different;
  });
  return static_cast<double>(right) / static_cast<double>(pairs.distances.size());
}

double roc_auc(const LabelledDistances& pairs) {
  double same_nearer = 0, same_before = 0, different_before = 0;
  each_distance(pairs, [&](float, Index same, Index different) {
    same_nearer += static_cast<double>(different) * (same_before + static_cast<double>(same) / 2);
    same_before += static_cast<double>(same);
    different_before += static_cast<double>(different);
  });
  require(same_before > 0 && different_before > 0,
          "[metrics] expected pairs of both classes, got {} of the same and {} others", same_before,
          different_before);
  return same_nearer / (same_before * different_before);
}

}  // namespace twinage
