#include "siamese/pairs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace twinage {

std::vector<IndexPair> pairs_of_batch(PairMode mode, Index batch) {
  require(batch >= 2, "[pairs] expected a batch of at least 2 faces, got {}", batch);
  require(mode == PairMode::all || mode == PairMode::sampled, "[pairs] unknown mode {}",
          static_cast<int>(mode));
  require(mode == PairMode::all || batch % 2 == 0,
          "[pairs] expected an even batch for sampled pairs, got {}", batch);
  const auto faces = static_cast<std::int32_t>(batch);
  std::vector<IndexPair> pairs;
  if (mode == PairMode::sampled) {
    for (std::int32_t p = 0; p < faces / 2; ++p) pairs.push_back({p, faces / 2 + p});
  } else {
    pairs.reserve(static_cast<std::size_t>(batch * (batch - 1) / 2));
    for (std::int32_t a = 0; a < faces; ++a)
      for (std::int32_t b = a + 1; b < faces; ++b) pairs.push_back({a, b});
  }
  return pairs;
}

void PairSampler::Firsts::add(Index face, std::span<const double> weights) {
  faces.push_back(face);
  if (weights.empty()) return;
  const double weight = weights[static_cast<std::size_t>(face)];
  ends.push_back((ends.empty() ? 0 : ends.back()) + weight);
}

Index PairSampler::Firsts::draw(Random& random) const {
  if (ends.empty()) return faces[static_cast<std::size_t>(random.below(faces.size()))];
  const auto at = std::ranges::upper_bound(ends, random.uniform(0, ends.back()));
  return faces[std::min(static_cast<std::size_t>(at - ends.begin()), faces.size() - 1)];
}

PairSampler::PairSampler(std::span<const float> ages, float tau, double positive_share,
                         std::span<const double> weights)
    : ages_(ages.begin(), ages.end()),
      by_age_(ages.size()),
      tau_(tau),
      positive_share_(positive_share) {
  require(tau >= 0, "[pairs] expected tau >= 0 years, got {}", tau);
  require(positive_share >= 0 && positive_share <= 1,
          "[pairs] expected a share of positive pairs within [0, 1], got {}", positive_share);
  for (std::size_t i = 0; i < ages_.size(); ++i)
    require(std::isfinite(ages_[i]), "[pairs] expected finite ages, got {} for face {}", ages_[i],
            i);
  require(weights.empty() || weights.size() == ages.size(),
          "[pairs] expected a weight of each of {} faces or of none, got {}", ages.size(),
          weights.size());
  for (const double weight : weights)
    require(weight > 0 && std::isfinite(weight), "[pairs] expected weights above 0, got {}",
            weight);
  std::iota(by_age_.begin(), by_age_.end(), Index{0});
  std::ranges::stable_sort(by_age_, {},
                           [&](Index i) { return ages_[static_cast<std::size_t>(i)]; });

  const auto faces = static_cast<Index>(ages_.size());
  for (Index face = 0; face < faces; ++face) {
    const Index same = same_class_as(face).size();
    if (same > 1) with_positive_.add(face, weights);
    if (same < faces) with_negative_.add(face, weights);
  }
  require(positive_share == 0 || !with_positive_.faces.empty(),
          "[pairs] expected two faces whose ages differ by at most {} years, got none among {}",
          tau, faces);
  require(positive_share == 1 || !with_negative_.faces.empty(),
          "[pairs] expected two faces whose ages differ by more than {} years, got none among {}",
          tau, faces);
}

PairSampler::Range PairSampler::same_class_as(Index face) const {
  // Differences of floats are rounded monotonically, so the faces within tau, judged as the losses
  // judge them (|a - b| <= tau in float), are indeed one range.
  const float age = ages_[static_cast<std::size_t>(face)];
  const auto gap = [&](Index other) { return ages_[static_cast<std::size_t>(other)] - age; };
  const auto begin = std::ranges::partition_point(by_age_, [&](Index i) { return gap(i) < -tau_; });
  const auto end = std::ranges::partition_point(by_age_, [&](Index i) { return gap(i) <= tau_; });
  return {begin - by_age_.begin(), end - by_age_.begin()};
}

Index PairSampler::positive_partner(Random& random, Index face) const {
  // One place of the range is left out: if it is the face itself, the last place stands in for it.
  const Range same = same_class_as(face);
  const auto draw = static_cast<Index>(random.below(static_cast<std::uint64_t>(same.size() - 1)));
  const Index partner = by_age_[static_cast<std::size_t>(same.begin + draw)];
  return partner != face ? partner : by_age_[static_cast<std::size_t>(same.end - 1)];
}

Index PairSampler::negative_partner(Random& random, Index face) const {
  const Range same = same_class_as(face);
  const auto others = static_cast<std::uint64_t>(static_cast<Index>(by_age_.size()) - same.size());
  const auto draw = static_cast<Index>(random.below(others));
  return by_age_[static_cast<std::size_t>(draw < same.begin ? draw : draw + same.size())];
}

std::vector<Index> PairSampler::sample(Random& random, Index pairs) const {
  require(pairs >= 1, "[pairs] expected at least 1 pair to draw, got {}", pairs);
  const auto positives =
      static_cast<Index>(std::llround(positive_share_ * static_cast<double>(pairs)));
  std::vector<Index> faces(static_cast<std::size_t>(2 * pairs));
  for (Index p = 0; p < pairs; ++p) {
    // The running count of positive pairs, floor(p * positives / pairs), steps here: evenly spread.
    const bool positive = (p + 1) * positives / pairs > p * positives / pairs;
    const Index first = (positive ? with_positive_ : with_negative_).draw(random);
    faces[static_cast<std::size_t>(p)] = first;
    faces[static_cast<std::size_t>(pairs + p)] =
        positive ? positive_partner(random, first) : negative_partner(random, first);
  }
  return faces;
}

void pair_weights(std::span<float> weights, std::span<const float> gaps, const PairLoss& loss,
                  bool balanced) {
  require(weights.size() == gaps.size(), "[pair_weights] expected {} weights, got {}", gaps.size(),
          weights.size());
  const auto count = static_cast<double>(gaps.size());
  const auto positive = static_cast<double>(
      std::ranges::count_if(gaps, [&](float gap) { return same_class(loss, gap); }));
  const double negative = count - positive;
  const bool halves = balanced && positive > 0 && negative > 0;
  for (std::size_t p = 0; p < gaps.size(); ++p) {
    const double of_kind = same_class(loss, gaps[p]) ? positive : negative;
    weights[p] = static_cast<float>(halves ? 0.5 / of_kind : 1 / count);
  }
}

std::vector<float> pair_weights(std::span<const float> gaps, const PairLoss& loss, bool balanced) {
  std::vector<float> weights(gaps.size());
  pair_weights(weights, gaps, loss, balanced);
  return weights;
}

}  // namespace twinage
