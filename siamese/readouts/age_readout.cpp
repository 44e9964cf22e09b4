#include "siamese/readouts/age_readout.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/parallel.h"
#include "kernels/distance/distance.h"
#include "siamese/interval_width.h"

namespace twinage {
namespace {

constexpr double kHalfYear = 0.5;  // a raw interval's least half-width
constexpr float kLeftOut = std::numeric_limits<float>::infinity();  // distance of a query's own
constexpr std::size_t kShown = 5;               // nearest references of an estimate
constexpr Index kBlockFloats = Index{1} << 21;  // distances held at once: 8 MiB
// How far from 1 the sum of a row of probabilities may be. A float softmax over some hundred ages,
// or a mean of several, is within some hundred rounding errors of 6e-8 each; logits are not.
constexpr double kSumTolerance = 1e-3;

// The k nearest, nearest first; of equal distances the first reference.
std::vector<Neighbour> nearest_references(std::span<const float> distances, std::size_t k) {
  const auto nearer = [](const Neighbour& a, const Neighbour& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.reference < b.reference;
  };
  if (k == 0) return {};
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

void require_distributions(ConstView ages) {
  for (Index row = 0; row < ages.shape.n; ++row) {
    double total = 0;
    for (Index a = 0; a < ages.shape.c; ++a) {
      const float p = ages.pixel(row)[a];
      require(p >= 0 && std::isfinite(p),
              "[age_readout] expected probabilities of ages, got {} for age {} in row {}", p, a,
              row);
      total += static_cast<double>(p);
    }
    require(std::fabs(total - 1) <= kSumTolerance,
            "[age_readout] expected probabilities of ages with the sum 1, got {} in row {}", total,
            row);
  }
}

void require_numbers(ConstView ages) {
  for (Index row = 0; row < ages.shape.n; ++row)
    require(std::isfinite(ages.pixel(row)[0]),
            "[age_readout] expected a finite age, got {} in row {}", ages.pixel(row)[0], row);
}

AgeSaid age_said(ConstView ages) {
  if (ages.data == nullptr) return AgeSaid::nothing;
  return ages.shape.c == 1 ? AgeSaid::number : AgeSaid::distribution;
}

std::span<const float> row_of(ConstView x, Index row) {
  return {x.pixel(row), static_cast<std::size_t>(x.shape.c)};
}

void check_gallery(const Gallery& gallery) {
  const Shape shape = gallery.embeddings.shape();
  require(
      shape.n >= 1 && shape.c >= 1 && static_cast<Index>(gallery.ages.size()) == shape.n,
      "[age_readout] expected a gallery of at least one face and its age, got embeddings {} and "
      "{} ages",
      shape, gallery.ages.size());
  require_finite(gallery.embeddings.view(), "gallery");
  for (std::size_t r = 0; r < gallery.ages.size(); ++r)
    require(gallery.ages[r] >= 0 && gallery.ages[r] <= 1000,
            "[age_readout] expected ages of 0 to 1000 years, got {} for reference {}",
            gallery.ages[r], r);
}

// Without any factor nothing is calibrated yet; without this one the interval would mean nothing
// where the others' do.
double scale_of(const Calibration& calibration, ReadoutKind kind) {
  const auto& scales = calibration.interval_scales;
  if (scales.empty()) return 1;
  const auto found = scales.find(kind);
  require(found != scales.end(),
          "[age_readout] the intervals of {} are not calibrated in this model: use another "
          "read-out or train anew",
          to_string(kind));
  return static_cast<double>(found->second);
}

// Ages in between count for the nearest whole year.
std::vector<float> shares_of_years(std::span<const Weighted> votes) {
  double total = 0;
  for (const Weighted& vote : votes) total += vote.weight;
  if (!(total > 0)) return {};
  std::vector<float> shares(static_cast<std::size_t>(std::lround(votes.back().value)) + 1);
  for (const Weighted& vote : votes)
    shares[static_cast<std::size_t>(std::lround(vote.value))] +=
        static_cast<float>(vote.weight / total);
  return shares;
}

}  // namespace

ReadoutInputs inputs_of(const FaceOutputs& outputs, const Gallery& gallery) {
  return {.embedding = outputs.z.data != nullptr && gallery.has_embeddings(),
          .ages = age_said(outputs.ages)};
}

AgeReadout::AgeReadout(const Gallery& gallery, const Calibration& calibration,
                       ReadoutOptions options)
    : gallery_(gallery), row_(readout_row(options.kind)), votes_(options.votes) {
  if (row_.needs.embedding || gallery.has_embeddings()) check_gallery(gallery);
  scale_ = scale_of(calibration, options.kind);
  const auto widths = calibration.interval_widths.find(options.kind);
  if (widths != calibration.interval_widths.end()) widths_ = widths->second;
  rule_ = row_.make({gallery, calibration, options});
}

void AgeReadout::check(const FaceOutputs& outputs, std::span<const std::uint64_t> contents) const {
  const Index count = outputs.count();
  require(contents.empty() || static_cast<Index>(contents.size()) == count,
          "[age_readout] expected the contents of {} faces or of none, got {}", count,
          contents.size());
  if (row_.needs.embedding || inputs_of(outputs, gallery_).embedding) {
    const Index width = gallery_.embeddings.shape().c;
    require(outputs.z.shape == matrix(count, width) && (outputs.z.data != nullptr || count == 0),
            "[age_readout] expected embeddings of shape ({}, 1, 1, {}), got {}", count, width,
            outputs.z.data != nullptr ? to_string(outputs.z.shape) : "none");
    require_finite(outputs.z, "queries");
  }
  if (row_.needs.ages == AgeSaid::nothing || count == 0) return;
  const ReadoutInputs given{.embedding = true, .ages = age_said(outputs.ages)};
  if (!given.contains(row_.needs))
    fail("[age_readout] {} needs {}", to_string(row_.kind), lacking(row_.needs, given));
  require(outputs.ages.shape == matrix(count, outputs.ages.shape.c) && outputs.ages.shape.c >= 1,
          "[age_readout] expected ages or their probabilities of shape ({}, 1, 1, ages), got {}",
          count, outputs.ages.shape);
  if (given.ages == AgeSaid::number) return require_numbers(outputs.ages);
  require_distributions(outputs.ages);
}

std::vector<AgeEstimate> AgeReadout::estimate(const Context& ctx, const FaceOutputs& outputs,
                                              std::span<const std::uint64_t> contents) const {
  check(outputs, contents);
  std::vector<AgeEstimate> estimates(static_cast<std::size_t>(outputs.count()));
  if (estimates.empty()) return estimates;
  if (inputs_of(outputs, gallery_).embedding) {
    estimate_by_references(ctx, estimates, outputs, contents);
    return estimates;
  }
  parallel_for(ctx.threads, outputs.count(), [&](Index i, int) {
    FaceToRead face;
    face.ages = row_of(outputs.ages, i);
    estimates[static_cast<std::size_t>(i)] = estimate_one(face);
  });
  return estimates;
}

void AgeReadout::estimate_by_references(const Context& ctx, std::span<AgeEstimate> estimates,
                                        const FaceOutputs& outputs,
                                        std::span<const std::uint64_t> contents) const {
  const Index references = gallery_.embeddings.shape().n, count = outputs.count();
  const Index block = std::clamp<Index>(kBlockFloats / references, 1, count);
  Tensor to_references(matrix(block, references));
  for (Index first = 0; first < count; first += block) {
    const Index rows = std::min(block, count - first);
    const View d = to_references.view().images(0, rows);
    distance_matrix(ctx, d, outputs.z.images(first, rows), gallery_.embeddings.view());
    parallel_for(ctx.threads, rows, [&](Index row, int) {
      const Index i = first + row;
      const std::span distances(d.pixel(row), static_cast<std::size_t>(d.shape.c));
      require(std::ranges::all_of(distances, [](float x) { return std::isfinite(x); }),
              "[age_readout] expected finite distances, row {} of the queries is too far away", i);
      std::vector<Index> own;
      if (!contents.empty()) own = gallery_.references_of(contents[static_cast<std::size_t>(i)]);
      require(own.size() < distances.size() || !row_.needs.embedding,
              "[age_readout] every reference is a copy of row {} of the queries: none is left to "
              "read it by",
              i);
      for (const Index reference : own) distances[static_cast<std::size_t>(reference)] = kLeftOut;
      FaceToRead face{row_of(outputs.z, i), distances, own, {}, {}};
      if (row_.needs.ages != AgeSaid::nothing) face.ages = row_of(outputs.ages, i);
      estimates[static_cast<std::size_t>(i)] = estimate_one(face);
    });
  }
}

AgeEstimate AgeReadout::estimate_one(FaceToRead face) const {
  const std::size_t left = face.to_references.size() - face.own.size();
  const std::size_t shown = std::min(left, kShown);
  const std::size_t read = std::min(left, static_cast<std::size_t>(rule_->neighbours()));
  AgeEstimate estimate;
  estimate.nearest = nearest_references(face.to_references, std::max(read, shown));
  face.nearest = estimate.nearest;
  const RawEstimate raw = rule_->read(face);
  estimate.nearest.resize(shown);
  const double below = std::max(raw.age - raw.low, kHalfYear) * scale_;
  const double above = std::max(raw.high - raw.age, kHalfYear) * scale_;
  const double reach_below = interval_reach(widths_, raw.age, below, Side::below);
  const double reach_above = interval_reach(widths_, raw.age, above, Side::above);
  estimate.age = static_cast<float>(raw.age);
  estimate.low = static_cast<float>(std::max(raw.age - reach_below, 0.0));
  estimate.high = static_cast<float>(raw.age + reach_above);
  if (votes_) estimate.votes = shares_of_years(raw.votes);
  return estimate;
}

}  // namespace twinage
