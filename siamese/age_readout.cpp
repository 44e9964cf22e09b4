#include "siamese/age_readout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/distance/distance.h"

namespace twinage {
namespace {

using Neighbour = AgeEstimate::Neighbour;

constexpr std::array kReadouts{ReadoutKind::comparison, ReadoutKind::knn, ReadoutKind::prototype};
constexpr double kHalfYear = 0.5;  // a raw interval's least half-width
constexpr float kLeftOut = std::numeric_limits<float>::infinity();  // distance of a query's own
constexpr std::size_t kShown = 5;               // nearest references of an estimate
constexpr Index kBlockFloats = Index{1} << 21;  // distances held at once: 8 MiB

struct Weighted {
  double value = 0, weight = 0;
};

// The value below which a share q of the weight lies. Each item's weight is centred on its value,
// with straight lines between: of equal weights the median is the usual one. Sorted by value.
double weighted_quantile(std::span<const Weighted> items, double q) {
  double total = 0, below = 0;
  for (const Weighted& item : items) total += item.weight;
  double last_value = items.front().value, last_centre = 0;
  for (const Weighted& item : items) {
    const double centre = below + item.weight / 2;
    if (centre >= q * total) {
      const double step = centre - last_centre;
      const double part = step > 0 ? (q * total - last_centre) / step : 1;
      return last_value + part * (item.value - last_value);
    }
    last_value = item.value;
    last_centre = centre;
    below += item.weight;
  }
  return items.back().value;
}

// The k nearest, nearest first; of equal distances the first reference.
std::vector<Neighbour> nearest_references(std::span<const float> distances, std::size_t k) {
  const auto nearer = [](const Neighbour& a, const Neighbour& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.reference < b.reference;
  };
  std::vector<Neighbour> heap;  // the farthest in front
  heap.reserve(k);
  for (std::size_t r = 0; r < distances.size(); ++r) {
    const Neighbour candidate{static_cast<Index>(r), distances[r]};
    if (heap.size() == k) {
      if (!nearer(candidate, heap.front())) continue;
      std::ranges::pop_heap(heap, nearer);
      heap.back() = candidate;
    } else {
      heap.push_back(candidate);
    }
    std::ranges::push_heap(heap, nearer);
  }
  std::ranges::sort_heap(heap, nearer);
  return heap;
}

void require_finite(ConstView x, const char* what) {
  for (Index row = 0; row < x.shape.pixels(); ++row)
    for (Index c = 0; c < x.shape.c; ++c)
      require(std::isfinite(x.pixel(row)[c]),
              "[age_readout] expected finite embeddings, got {} in row {} of the {}",
              x.pixel(row)[c], row, what);
}

}  // namespace

AgeReadout::AgeReadout(const Gallery& gallery, const Calibration& calibration,
                       ReadoutOptions options)
    : gallery_(gallery), calibration_(calibration), options_(options) {
  const Shape shape = gallery.embeddings.shape();
  require(
      shape.n >= 1 && shape.c >= 1 && static_cast<Index>(gallery.ages.size()) == shape.n,
      "[age_readout] expected a gallery of at least one face and its age, got embeddings {} and "
      "{} ages",
      shape, gallery.ages.size());
  require(options.k >= 1, "[age_readout] expected k >= 1 neighbours, got {}", options.k);
  require(options.kind != ReadoutKind::comparison || !calibration.distances.empty(),
          "[age_readout] expected a calibration with steps for comparison (see calibrate)");
  const std::size_t scales = calibration.interval_scales.size();
  require(scales == 0 || scales == kReadouts.size(),
          "[age_readout] expected {} interval scales or none, got {}", kReadouts.size(), scales);
  require_finite(gallery.embeddings.view(), "gallery");
  for (std::size_t r = 0; r < gallery.ages.size(); ++r)
    require(gallery.ages[r] >= 0 && gallery.ages[r] <= 1000,
            "[age_readout] expected ages of 0 to 1000 years, got {} for reference {}",
            gallery.ages[r], r);
  bins_.emplace(gallery);
  if (options.kind == ReadoutKind::prototype) prototypes_.emplace(gallery, *bins_);
}

std::vector<AgeEstimate> AgeReadout::estimate(const Context& ctx, ConstView z,
                                              std::span<const std::uint64_t> contents) const {
  const Shape references = gallery_.embeddings.shape();
  require(z.shape == matrix(z.shape.n, references.c),
          "[age_readout] expected embeddings of shape (count, 1, 1, {}), got {}", references.c,
          z.shape);
  require(contents.empty() || static_cast<Index>(contents.size()) == z.shape.n,
          "[age_readout] expected the contents of {} faces or of none, got {}", z.shape.n,
          contents.size());
  require_finite(z, "queries");
  std::vector<AgeEstimate> estimates(static_cast<std::size_t>(z.shape.n));
  if (estimates.empty()) return estimates;
  const Index block = std::clamp<Index>(kBlockFloats / references.n, 1, z.shape.n);
  Tensor to_references(matrix(block, references.n));
  for (Index first = 0; first < z.shape.n; first += block) {
    const Index rows = std::min(block, z.shape.n - first);
    const View d = to_references.view().images(0, rows);
    distance_matrix(ctx, d, z.images(first, rows), gallery_.embeddings.view());
    parallel_for(ctx.threads, rows, [&](Index row, int) {
      const Index i = first + row;
      const std::span distances(d.pixel(row), static_cast<std::size_t>(d.shape.c));
      require(std::ranges::all_of(distances, [](float x) { return std::isfinite(x); }),
              "[age_readout] expected finite distances, row {} of the queries is too far away", i);
      std::vector<Index> own;
      if (!contents.empty()) own = gallery_.references_of(contents[static_cast<std::size_t>(i)]);
      require(own.size() < distances.size(),
              "[age_readout] every reference is a copy of row {} of the queries: none is left to "
              "read it by",
              i);
      for (const Index reference : own) distances[static_cast<std::size_t>(reference)] = kLeftOut;
      estimates[static_cast<std::size_t>(i)] = estimate_one(z.pixel(i), distances, own);
    });
  }
  return estimates;
}

AgeEstimate AgeReadout::estimate_one(const float* z, std::span<const float> to_references,
                                     std::span<const Index> own) const {
  const bool by_knn = options_.kind == ReadoutKind::knn;
  const std::size_t left = to_references.size() - own.size();
  const std::size_t k = std::min(left, static_cast<std::size_t>(options_.k));
  const std::size_t shown = std::min(left, kShown);
  AgeEstimate estimate;
  estimate.nearest = nearest_references(to_references, by_knn ? std::max(k, shown) : shown);
  const Raw raw = by_knn ? by_neighbours(std::span(estimate.nearest).first(k))
                  : options_.kind == ReadoutKind::comparison ? by_comparison(to_references, own)
                  : own.empty() ? by_prototypes(z, prototypes_->means())
                                : by_prototypes(z, prototypes_->without(own));
  estimate.nearest.resize(shown);

  const std::vector<float>& scales = calibration_.interval_scales;
  const auto kind = static_cast<std::size_t>(options_.kind);
  const double scale = scales.empty() ? 1 : static_cast<double>(scales.at(kind));
  const double below = std::max(raw.age - raw.low, kHalfYear) * scale;
  const double above = std::max(raw.high - raw.age, kHalfYear) * scale;
  estimate.age = static_cast<float>(raw.age);
  estimate.low = static_cast<float>(std::max(raw.age - below, 0.0));
  estimate.high = static_cast<float>(raw.age + above);
  return estimate;
}

AgeReadout::Raw AgeReadout::by_comparison(std::span<const float> to_references,
                                          std::span<const Index> own) const {
  std::vector<float> votes(to_references.size());
  // A step function cannot tell the references of one step apart, and may be 0 for all of them: the
  // small term lets the nearer one win then.
  for (std::size_t r = 0; r < votes.size(); ++r)
    votes[r] = to_references[r] == kLeftOut
                   ? 0
                   : calibration_.probability(to_references[r]) + 1e-3F / (1 + to_references[r]);
  // Only ratios of votes count; with the largest at 1 the power underflows for none that matters.
  const float largest = std::ranges::max(votes);
  const float power = 2 * calibration_.tau + 1;
  std::vector<double> years(bins_->counts.size()), counts = bins_->counts;
  for (const Index reference : own)
    counts[bins_->of_reference[static_cast<std::size_t>(reference)]] -= 1;
  for (std::size_t r = 0; r < votes.size(); ++r)
    years[bins_->of_reference[r]] += static_cast<double>(std::pow(votes[r] / largest, power));

  std::vector<Weighted> profile;
  for (std::size_t i = 0; i < years.size(); ++i)
    if (counts[i] > 0) profile.push_back({static_cast<double>(bins_->year(i)), years[i]});
  return {weighted_quantile(profile, 0.5), weighted_quantile(profile, (1 - kCoverage) / 2),
          weighted_quantile(profile, (1 + kCoverage) / 2)};
}

AgeReadout::Raw AgeReadout::by_neighbours(std::span<const Neighbour> nearest) const {
  // d0 keeps a face that is nearly identical from deciding alone, whatever the unit of distance.
  const double d0 = std::max(0.1 * static_cast<double>(nearest.back().distance), 1e-12);
  std::vector<Weighted> ages;
  ages.reserve(nearest.size());
  for (const Neighbour& n : nearest)
    ages.push_back({static_cast<double>(gallery_.ages[static_cast<std::size_t>(n.reference)]),
                    1 / (static_cast<double>(n.distance) + d0)});
  std::ranges::stable_sort(ages, {}, &Weighted::value);
  return {weighted_quantile(ages, 0.5), weighted_quantile(ages, (1 - kCoverage) / 2),
          weighted_quantile(ages, (1 + kCoverage) / 2)};
}

// The interval supposes that faces of an age scatter about its prototype as a Gaussian does. (One
// face less does not change the scatter of all.)
AgeReadout::Raw AgeReadout::by_prototypes(const float* z, const Prototypes::Means& means) const {
  std::vector<double> squares(means.ages.size());
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const float* prototype = means.embeddings.view().pixel(static_cast<Index>(i));
    for (Index c = 0; c < means.embeddings.shape().c; ++c) {
      const double d = static_cast<double>(z[c]) - static_cast<double>(prototype[c]);
      squares[i] += d * d;
    }
  }
  const auto best = static_cast<std::size_t>(std::ranges::min_element(squares) - squares.begin());
  const double variance = std::max(prototypes_->scatter(), std::numeric_limits<double>::min());
  std::vector<Weighted> ages;
  ages.reserve(squares.size());
  for (std::size_t i = 0; i < squares.size(); ++i)
    ages.push_back({static_cast<double>(means.ages[i]),
                    std::exp((squares[best] - squares[i]) / (2 * variance))});
  return {static_cast<double>(means.ages[best]), weighted_quantile(ages, (1 - kCoverage) / 2),
          weighted_quantile(ages, (1 + kCoverage) / 2)};
}

namespace {

// Split conformal prediction (Vovk et al. 2005): of n values of held-out faces the ceil(share (n +
// 1))-th smallest is not exceeded by at least this share of new faces, on average over such
// samples. Of too few values the largest; what may be said of it then: siamese/calibration.h.
float conformal_quantile(std::vector<float> values, double share) {
  const Index rank = conformal_rank(share, static_cast<Index>(values.size()));
  std::ranges::nth_element(values, values.begin() + (rank - 1));
  return values[static_cast<std::size_t>(rank - 1)];
}

}  // namespace

void calibrate_intervals(const Context& ctx, const Gallery& gallery, Calibration& calibration,
                         Index k, ConstView held_out, std::span<const float> true_ages) {
  require(
      !true_ages.empty() && static_cast<Index>(true_ages.size()) == held_out.shape.n,
      "[calibrate_intervals] expected at least one held-out face and its age, got {} and {} ages",
      held_out.shape, true_ages.size());
  const auto count = static_cast<Index>(true_ages.size());
  Calibration raw = calibration;
  raw.interval_scales.clear();
  std::vector<float> scales, nearest;
  for (const ReadoutKind kind : kReadouts) {
    const auto estimates = AgeReadout(gallery, raw, {kind, k}).estimate(ctx, held_out);
    std::vector<float> needed;  // the factor with which the interval would just hold the true age
    nearest.clear();
    for (std::size_t i = 0; i < estimates.size(); ++i) {
      const auto age = static_cast<double>(estimates[i].age);
      const double error = static_cast<double>(true_ages[i]) - age;
      const double half = error > 0 ? static_cast<double>(estimates[i].high) - age
                                    : age - static_cast<double>(estimates[i].low);
      needed.push_back(error == 0 ? 0 : static_cast<float>(std::fabs(error) / half));
      nearest.push_back(estimates[i].nearest.front().distance);
    }
    scales.push_back(conformal_quantile(needed, kCoverage));
  }
  calibration.interval_scales = std::move(scales);
  calibration.held_out = count;
  calibration.nearest_limit.reset();
  if (count >= kHeldOutForLimit)
    calibration.nearest_limit = conformal_quantile(nearest, kLimitShare);
}

}  // namespace twinage
