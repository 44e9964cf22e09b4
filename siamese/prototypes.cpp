#include "siamese/prototypes.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace twinage {
namespace {

// A Gaussian over the years. The standard deviation is the least of 1, 2 and 4 years that gathers
// 30 references, so that the many twenty-year-olds keep their detail and the few ninety-year-olds
// are not left to one face. A year of n references counts n / (n + 4): few are trusted less, but
// many do not outweigh their neighbours, which would draw all of them towards the most frequent
// ages. Returns the weight of bin j's mean in prototype i, [bins][bins].
std::vector<double> smoothing_of(const std::vector<double>& counts) {
  const std::size_t bins = counts.size();
  std::vector<double> smoothing(bins * bins, 0);
  for (std::size_t i = 0; i < bins; ++i) {
    double* weights = &smoothing[i * bins];
    for (const double deviation : {1.0, 2.0, 4.0}) {
      double gathered = 0;
      for (std::size_t j = 0; j < bins; ++j) {
        const double x = (static_cast<double>(j) - static_cast<double>(i)) / deviation;
        weights[j] = std::exp(-0.5 * x * x);
        gathered += weights[j] * counts[j];
      }
      if (gathered >= 30) break;
    }
    for (std::size_t j = 0; j < bins; ++j) weights[j] *= counts[j] / (counts[j] + 4);
  }
  return smoothing;
}

}  // namespace

YearBins::YearBins(const Gallery& gallery) {
  const auto [youngest, oldest] = std::ranges::minmax(gallery.ages);
  first = std::lround(youngest);
  counts.assign(static_cast<std::size_t>(std::lround(oldest) - first + 1), 0);
  for (const float age : gallery.ages) {
    of_reference.push_back(static_cast<std::size_t>(std::lround(age) - first));
    counts[of_reference.back()] += 1;
  }
}

Prototypes::Prototypes(const Gallery& gallery, const YearBins& bins)
    : gallery_(gallery), bins_(bins) {
  const auto width = static_cast<std::size_t>(gallery.embeddings.shape().c);
  sums_.assign(bins.counts.size() * width, 0);
  for (std::size_t r = 0; r < bins.of_reference.size(); ++r)
    for (std::size_t c = 0; c < width; ++c)
      sums_[bins.of_reference[r] * width + c] +=
          static_cast<double>(gallery.embeddings.data()[r * width + c]);
  means_ = smoothed(bins.counts, sums_);
  scatter_ = scatter_along();
}

Prototypes::Means Prototypes::without(std::span<const Index> references) const {
  const auto width = static_cast<std::size_t>(gallery_.embeddings.shape().c);
  std::vector<double> counts = bins_.counts, sums = sums_;
  for (const Index reference : references) {
    const auto r = static_cast<std::size_t>(reference);
    const std::size_t bin = bins_.of_reference[r];
    counts[bin] -= 1;
    for (std::size_t c = 0; c < width; ++c)
      sums[bin * width + c] -= static_cast<double>(gallery_.embeddings.data()[r * width + c]);
  }
  return smoothed(counts, sums);
}

Prototypes::Means Prototypes::smoothed(const std::vector<double>& counts,
                                       const std::vector<double>& sums) const {
  const std::size_t bins = counts.size();
  const auto width = static_cast<std::size_t>(gallery_.embeddings.shape().c);
  const std::vector<double> smoothing = smoothing_of(counts);
  Means means;
  for (std::size_t i = 0; i < bins; ++i)
    if (counts[i] > 0) means.ages.push_back(bins_.year(i));
  require(!means.ages.empty(), "[prototypes] expected at least one reference, got none");
  means.embeddings =
      Tensor(matrix(static_cast<Index>(means.ages.size()), static_cast<Index>(width)));
  float* out = means.embeddings.data();
  std::vector<double> mean(width);
  for (std::size_t i = 0; i < bins; ++i) {
    if (counts[i] == 0) continue;
    std::ranges::fill(mean, 0);
    double total = 0;
    for (std::size_t j = 0; j < bins; ++j) {
      if (counts[j] == 0) continue;
      const double weight = smoothing[i * bins + j];
      total += weight;
      for (std::size_t c = 0; c < width; ++c) mean[c] += weight / counts[j] * sums[j * width + c];
    }
    for (std::size_t c = 0; c < width; ++c) *out++ = static_cast<float>(mean[c] / total);
  }
  return means;
}

double Prototypes::scatter_along() const {
  const auto count = static_cast<Index>(means_.ages.size());
  const ConstView prototypes = means_.embeddings.view(), all = gallery_.embeddings.view();
  double sum = 0;
  for (Index r = 0; r < all.shape.n; ++r) {
    const float year = bins_.year(bins_.of_reference[static_cast<std::size_t>(r)]);
    const Index own = std::ranges::lower_bound(means_.ages, year) - means_.ages.begin();
    const float* younger = prototypes.pixel(std::max<Index>(own - 1, 0));
    const float* older = prototypes.pixel(std::min(own + 1, count - 1));
    double along = 0, length = 0;
    for (Index c = 0; c < all.shape.c; ++c) {
      const double direction = static_cast<double>(older[c]) - static_cast<double>(younger[c]);
      along += direction * (static_cast<double>(all.pixel(r)[c]) -
                            static_cast<double>(prototypes.pixel(own)[c]));
      length += direction * direction;
    }
    if (length > 0) sum += along * along / length;
  }
  return sum / static_cast<double>(all.shape.n);
}

}  // namespace twinage
