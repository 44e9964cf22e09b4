#include "siamese/age_readout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/distance/distance.h"

namespace twinage {
namespace {

using Neighbour = AgeEstimate::Neighbour;

constexpr std::array kReadouts{ReadoutKind::comparison, ReadoutKind::knn, ReadoutKind::prototype};
constexpr double kCoverage = 0.8;               // of an interval
constexpr double kHalfYear = 0.5;               // a raw interval's least half-width
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

std::string to_string(ReadoutKind kind) {
  switch (kind) {
    case ReadoutKind::comparison:
      return "comparison";
    case ReadoutKind::knn:
      return "knn";
    case ReadoutKind::prototype:
      return "prototype";
  }
  fail("[age_readout] unknown read-out {}", static_cast<int>(kind));
}

ReadoutKind parse_readout(std::string_view name) {
  for (const ReadoutKind kind : kReadouts)
    if (name == to_string(kind)) return kind;
  throw UsageError(
      fmt::format("[age_readout] expected comparison, knn or prototype, got '{}'", name));
}

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
  count_years();
  if (options.kind == ReadoutKind::prototype) {
    choose_smoothing();
    find_prototypes();
  }
}

void AgeReadout::count_years() {
  const auto [youngest, oldest] = std::ranges::minmax(gallery_.ages);
  first_year_ = std::lround(youngest);
  counts_.assign(static_cast<std::size_t>(std::lround(oldest) - first_year_ + 1), 0);
  for (const float age : gallery_.ages) {
    bins_.push_back(std::lround(age) - first_year_);
    counts_[static_cast<std::size_t>(bins_.back())] += 1;
  }
}

// The prototype of a year is a Gaussian-weighted mean over its own and the neighbouring years' mean
// embeddings. The standard deviation is the least of 1, 2 and 4 years that gathers 30
// references, so that the many twenty-year-olds keep their detail and the few ninety-year-olds are
// not left to one face. A year of n references counts n / (n + 4): few are trusted less, but many
// do not outweigh their neighbours, which would draw all of them towards the most frequent ages.
void AgeReadout::choose_smoothing() {
  const std::size_t bins = counts_.size();
  smoothing_.assign(bins * bins, 0);
  for (std::size_t i = 0; i < bins; ++i) {
    double* weights = &smoothing_[i * bins];
    for (const double deviation : {1.0, 2.0, 4.0}) {
      double gathered = 0;
      for (std::size_t j = 0; j < bins; ++j) {
        const double x = (static_cast<double>(j) - static_cast<double>(i)) / deviation;
        weights[j] = std::exp(-0.5 * x * x);
        gathered += weights[j] * counts_[j];
      }
      if (gathered >= 30) break;
    }
    for (std::size_t j = 0; j < bins; ++j) weights[j] *= counts_[j] / (counts_[j] + 4);
  }
}

void AgeReadout::find_prototypes() {
  const std::size_t bins = counts_.size();
  const auto width = static_cast<std::size_t>(gallery_.embeddings.shape().c);
  std::vector<double> sums(bins * width);
  for (std::size_t r = 0; r < bins_.size(); ++r)
    for (std::size_t c = 0; c < width; ++c)
      sums[static_cast<std::size_t>(bins_[r]) * width + c] +=
          static_cast<double>(gallery_.embeddings.data()[r * width + c]);

  for (std::size_t i = 0; i < bins; ++i)
    if (counts_[i] > 0)
      prototype_ages_.push_back(static_cast<float>(first_year_ + static_cast<Index>(i)));
  prototypes_ =
      Tensor(matrix(static_cast<Index>(prototype_ages_.size()), static_cast<Index>(width)));
  float* out = prototypes_.data();
  std::vector<double> smoothed(width);
  for (std::size_t i = 0; i < bins; ++i) {
    if (counts_[i] == 0) continue;
    std::ranges::fill(smoothed, 0);
    double total = 0;
    for (std::size_t j = 0; j < bins; ++j) {
      if (counts_[j] == 0) continue;
      const double weight = smoothing_[i * bins + j];
      total += weight;
      for (std::size_t c = 0; c < width; ++c)
        smoothed[c] += weight / counts_[j] * sums[j * width + c];
    }
    for (std::size_t c = 0; c < width; ++c) *out++ = static_cast<float>(smoothed[c] / total);
  }
  prototype_scatter_ = scatter_along_prototypes();
}

// The variance of the references about the prototype of their age, in the direction in which the
// prototypes move with age: the part of the scatter that makes an age uncertain.
double AgeReadout::scatter_along_prototypes() const {
  const auto count = static_cast<Index>(prototype_ages_.size());
  const Index width = prototypes_.shape().c;
  double sum = 0;
  for (Index r = 0; r < static_cast<Index>(bins_.size()); ++r) {
    const auto year = static_cast<float>(first_year_ + bins_[static_cast<std::size_t>(r)]);
    const Index own = std::ranges::lower_bound(prototype_ages_, year) - prototype_ages_.begin();
    const float* younger = prototypes_.view().pixel(std::max<Index>(own - 1, 0));
    const float* older = prototypes_.view().pixel(std::min(own + 1, count - 1));
    double along = 0, length = 0;
    for (Index c = 0; c < width; ++c) {
      const double direction = static_cast<double>(older[c]) - static_cast<double>(younger[c]);
      along += direction * (static_cast<double>(gallery_.embeddings.view().pixel(r)[c]) -
                            static_cast<double>(prototypes_.view().pixel(own)[c]));
      length += direction * direction;
    }
    if (length > 0) sum += along * along / length;
  }
  return sum / static_cast<double>(bins_.size());
}

std::vector<AgeEstimate> AgeReadout::estimate(const Context& ctx, ConstView z) const {
  const Shape references = gallery_.embeddings.shape();
  require(z.shape == matrix(z.shape.n, references.c),
          "[age_readout] expected embeddings of shape (count, 1, 1, {}), got {}", references.c,
          z.shape);
  require_finite(z, "queries");
  std::vector<AgeEstimate> estimates(static_cast<std::size_t>(z.shape.n));
  if (estimates.empty()) return estimates;
  const Index block = std::clamp<Index>(kBlockFloats / references.n, 1, z.shape.n);
  const bool by_prototype = options_.kind == ReadoutKind::prototype;
  Tensor to_references(matrix(block, references.n));
  Tensor to_prototypes(matrix(block, by_prototype ? prototypes_.shape().n : 0));
  for (Index first = 0; first < z.shape.n; first += block) {
    const Index rows = std::min(block, z.shape.n - first);
    const View d = to_references.view().images(0, rows), p = to_prototypes.view().images(0, rows);
    distance_matrix(ctx, d, z.images(first, rows), gallery_.embeddings.view());
    if (by_prototype) distance_matrix(ctx, p, z.images(first, rows), prototypes_.view());
    parallel_for(ctx.threads, rows, [&](Index row, int) {
      const std::span from_references(d.pixel(row), static_cast<std::size_t>(d.shape.c));
      const std::span from_prototypes(p.pixel(row), static_cast<std::size_t>(p.shape.c));
      require(std::ranges::all_of(from_references, [](float x) { return std::isfinite(x); }),
              "[age_readout] expected finite distances, row {} of the queries is too far away",
              first + row);
      estimates[static_cast<std::size_t>(first + row)] =
          from_distances(from_references, from_prototypes);
    });
  }
  return estimates;
}

AgeEstimate AgeReadout::from_distances(std::span<const float> to_references,
                                       std::span<const float> to_prototypes) const {
  const bool by_knn = options_.kind == ReadoutKind::knn;
  const std::size_t k = std::min(to_references.size(), static_cast<std::size_t>(options_.k));
  const std::size_t shown = std::min(to_references.size(), kShown);
  AgeEstimate estimate;
  estimate.nearest = nearest_references(to_references, by_knn ? std::max(k, shown) : shown);
  const Raw raw = by_knn ? by_neighbours(std::span(estimate.nearest).first(k))
                  : options_.kind == ReadoutKind::comparison ? by_comparison(to_references)
                                                             : by_prototypes(to_prototypes);
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

AgeReadout::Raw AgeReadout::by_comparison(std::span<const float> to_references) const {
  std::vector<float> votes(to_references.size());
  // A step function cannot tell the references of one step apart, and may be 0 for all of them: the
  // small term lets the nearer one win then.
  for (std::size_t r = 0; r < votes.size(); ++r)
    votes[r] = calibration_.probability(to_references[r]) + 1e-3F / (1 + to_references[r]);
  // Only ratios of votes count; with the largest at 1 the power underflows for none that matters.
  const float largest = std::ranges::max(votes);
  const float power = 2 * calibration_.tau + 1;
  std::vector<double> years(counts_.size());
  for (std::size_t r = 0; r < votes.size(); ++r)
    years[static_cast<std::size_t>(bins_[r])] +=
        static_cast<double>(std::pow(votes[r] / largest, power));

  std::vector<Weighted> profile;
  for (std::size_t i = 0; i < years.size(); ++i)
    if (counts_[i] > 0)
      profile.push_back({static_cast<double>(first_year_ + static_cast<Index>(i)), years[i]});
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

// The interval supposes that faces of an age scatter about its prototype as a Gaussian does.
AgeReadout::Raw AgeReadout::by_prototypes(std::span<const float> to_prototypes) const {
  const auto best =
      static_cast<std::size_t>(std::ranges::min_element(to_prototypes) - to_prototypes.begin());
  const double variance = std::max(prototype_scatter_, std::numeric_limits<double>::min());
  const auto square = [&](std::size_t i) {
    return static_cast<double>(to_prototypes[i]) * static_cast<double>(to_prototypes[i]);
  };
  std::vector<Weighted> ages;
  ages.reserve(to_prototypes.size());
  for (std::size_t i = 0; i < to_prototypes.size(); ++i)
    ages.push_back({static_cast<double>(prototype_ages_[i]),
                    std::exp((square(best) - square(i)) / (2 * variance))});
  return {static_cast<double>(prototype_ages_[best]), weighted_quantile(ages, (1 - kCoverage) / 2),
          weighted_quantile(ages, (1 + kCoverage) / 2)};
}

void calibrate_intervals(const Context& ctx, const Gallery& gallery, Calibration& calibration,
                         Index k, ConstView held_out, std::span<const float> true_ages) {
  require(
      !true_ages.empty() && static_cast<Index>(true_ages.size()) == held_out.shape.n,
      "[calibrate_intervals] expected at least one held-out face and its age, got {} and {} ages",
      held_out.shape, true_ages.size());
  Calibration raw = calibration;
  raw.interval_scales.clear();
  std::vector<float> scales;
  for (const ReadoutKind kind : kReadouts) {
    const auto estimates = AgeReadout(gallery, raw, {kind, k}).estimate(ctx, held_out);
    std::vector<double> needed;  // the factor with which the interval would just hold the true age
    for (std::size_t i = 0; i < estimates.size(); ++i) {
      const auto age = static_cast<double>(estimates[i].age);
      const double error = static_cast<double>(true_ages[i]) - age;
      const double half = error > 0 ? static_cast<double>(estimates[i].high) - age
                                    : age - static_cast<double>(estimates[i].low);
      needed.push_back(error == 0 ? 0 : std::fabs(error) / half);
    }
    // Split conformal prediction (Vovk et al. 2005): with n faces held out, the ceil(0.8 (n +
    // 1))-th smallest factor holds at least 80 % of new faces, on average over such samples.
    const auto n = static_cast<double>(needed.size());
    const auto rank = static_cast<std::size_t>(std::min(std::ceil(kCoverage * (n + 1)), n));
    std::ranges::nth_element(needed, needed.begin() + static_cast<std::ptrdiff_t>(rank - 1));
    scales.push_back(static_cast<float>(needed[rank - 1]));
  }
  calibration.interval_scales = std::move(scales);
}

}  // namespace twinage
