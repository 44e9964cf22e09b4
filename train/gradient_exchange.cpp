#include "train/gradient_exchange.h"

#include <algorithm>

#include "core/error.h"
#include "core/workspace.h"

namespace twinage {
namespace {

// 1 MB: large beside what a message costs. A bucket goes in a part for each rank, so that with many
// of them it has to be larger for its parts to be no smaller than with eight.
constexpr Index kBucketFloats = Index{1} << 18;
constexpr int kRanksOfBucket = 8;

}  // namespace

GradientExchange::GradientExchange(const Shards& shards, ParameterArena& arena)
    : shards_(shards), arena_(arena) {
  if (shards.ranks() == nullptr) return;
  const Index all = arena.gradients().size();
  const Index floats_of_bucket =
      kBucketFloats * std::max(1, shards.ranks()->size() / kRanksOfBucket);
  for (const Index offset : arena.offsets())
    if (buckets_.empty() || offset - buckets_.back().begin >= floats_of_bucket) {
      if (!buckets_.empty()) buckets_.back().end = offset;
      buckets_.push_back({offset, all, 0, nullptr});
    }
  Index floats = 0;
  for (const Bucket& b : buckets_) floats += shards.sum_scratch(b.end - b.begin);
  scratch_ = Tensor(vector(std::max<Index>(1, floats)), arena.device());
  float* scratch = scratch_.data();
  for (Bucket& b : buckets_) {
    b.scratch = scratch;
    scratch += shards.sum_scratch(b.end - b.begin);
  }
}

void GradientExchange::begin_step() {
  begun_.clear();
  for (Bucket& b : buckets_) b.missing = b.end - b.begin;
}

void GradientExchange::whole(const float* sum, Index count) {
  const Index at = sum - arena_.gradients().data();
  const auto behind = std::ranges::upper_bound(buckets_, at, {}, &Bucket::begin);
  if (behind == buckets_.begin()) return;
  Bucket& bucket = *std::prev(behind);
  bucket.missing -= workspace_floats(count);  // with the 0s up to the next parameter
  if (bucket.missing == 0)
    begun_.push_back(shards_.begin_sum(arena_.gradients().data() + bucket.begin,
                                       bucket.end - bucket.begin, bucket.scratch));
}

void GradientExchange::finish() {
  require(begun_.size() == buckets_.size(),
          "[gradient_exchange] expected the gradients of {} buckets, got {}: a layer adds its own "
          "past add_sum_of_shards",
          buckets_.size(), begun_.size());
  for (const Shards::Sum& sum : begun_)
    shared_out_ ? shards_.finish_part(sum) : shards_.finish_sum(sum);
}

std::vector<Shards::Part> GradientExchange::parts() const {
  std::vector<Shards::Part> parts;
  for (const Bucket& b : buckets_) {
    const Shards::Part mine = shards_.part(b.end - b.begin);
    parts.push_back({b.begin + mine.begin, b.begin + mine.end});
  }
  return parts;
}

void GradientExchange::gather_values() const {
  for (const Bucket& b : buckets_)
    shards_.gather_parts(arena_.values().data() + b.begin, b.end - b.begin);
}

void GradientExchange::collect(float* whole, const float* mine) const {
  for (const Bucket& b : buckets_) {
    const Shards::Part part = shards_.part(b.end - b.begin);
    // The others need room for one bucket, which is what they have for the gradients' sums.
    float* bucket = whole != nullptr ? whole + b.begin : b.scratch;
    shards_.operations().copy(bucket + part.begin, mine, part.size());
    shards_.gather_parts(bucket, b.end - b.begin);
    mine += part.size();
  }
}

}  // namespace twinage
