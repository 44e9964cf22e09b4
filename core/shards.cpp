#include "core/shards.h"

#include <algorithm>

#include "core/error.h"

namespace twinage {
namespace {

Index middle(Index begin, Index end) {
  return begin + (end - begin) / 2;
}

std::vector<std::size_t> in_bytes(std::span<const Index> floats) {
  std::vector<std::size_t> bytes;
  for (const Index count : floats) bytes.push_back(static_cast<std::size_t>(count) * sizeof(float));
  return bytes;
}

// Equal parts of whole cache lines, the last ones less: the first one's floats.
Index largest_part(Index count, Index parts) {
  return round_up(ceil_div(count, parts), 16);
}

std::vector<Index> parts_of(Index count, Index parts) {
  const Index part = largest_part(count, parts);
  std::vector<Index> sizes;
  for (Index r = 0; r < parts; ++r) sizes.push_back(std::clamp<Index>(count - r * part, 0, part));
  return sizes;
}

FloatOperations of_the_host() {
  return {[](float* to, const float* from, Index count) { std::copy_n(from, count, to); },
          [](float* sum, const float* more, Index count) {
            for (Index i = 0; i < count; ++i) sum[i] += more[i];
          }};
}

}  // namespace

Shards::Shards(Index batch, Index shards, Communicator* ranks)
    : batch_(batch), count_(shards), ranks_(ranks), operations_(of_the_host()) {
  require(shards >= 1 && shards <= batch,
          "[shards] a batch of {} faces can be cut into 1 to {} shards, not into {}: set "
          "training.shards",
          batch, batch, shards);
  const Index size = ranks == nullptr ? 1 : ranks->size();
  require(size <= shards,
          "[shards] {} processes share the shards of a batch, and there are {}: set "
          "training.shards to {} or more (the same bits then come from any number of processes up "
          "to that), or start fewer",
          size, shards, size);
  nodes_.push_back({0, shards});
  while (std::ssize(nodes_) < size) {
    const auto largest = std::ranges::max_element(nodes_, {}, &Node::size);
    const Node whole = *largest;
    *largest = {middle(whole.begin, whole.end), whole.end};
    nodes_.insert(largest, {whole.begin, middle(whole.begin, whole.end)});
  }
  const Node& node = nodes_[ranks == nullptr ? 0 : static_cast<std::size_t>(ranks->rank())];
  for (Index s = node.begin; s < node.end; ++s)
    mine_.push_back({s, begins_at(s) - begins_at(node.begin), begins_at(s + 1) - begins_at(s)});
  images_ = begins_at(node.end) - begins_at(node.begin);
}

void Shards::gather(float* all, std::span<const Index> floats) const {
  ranks_->gather(all, in_bytes(floats));
}

void Shards::gather_of_shards(float* all, Index floats_of_a_shard) const {
  if (ranks_ == nullptr) return;
  std::vector<Index> floats;
  for (const Node& node : nodes_) floats.push_back(node.size() * floats_of_a_shard);
  gather(all, floats);
}

void Shards::gather_of_images(float* all, Index floats_of_an_image) const {
  if (ranks_ == nullptr) return;
  std::vector<Index> floats;
  for (const Node& node : nodes_)
    floats.push_back((begins_at(node.end) - begins_at(node.begin)) * floats_of_an_image);
  gather(all, floats);
}

Index Shards::sum_scratch(Index count) const {
  if (ranks_ == nullptr || communicator_adds()) return 0;
  const Index size = std::ssize(nodes_);
  return size * largest_part(count, size);
}

Shards::Sum Shards::begin_sum(float* sum, Index count, float* scratch) const {
  if (ranks_ == nullptr) return {sum, count, scratch, -1};
  if (communicator_adds()) return {sum, count, scratch, ranks_->begin_sum(sum, count)};
  const std::vector<std::size_t> bytes = in_bytes(parts_of(count, std::ssize(nodes_)));
  return {sum, count, scratch, ranks_->begin_exchange(scratch, sum, bytes)};
}

Shards::Part Shards::part(Index count) const {
  if (ranks_ == nullptr) return {0, count};
  const Index size = largest_part(count, std::ssize(nodes_)), begin = ranks_->rank() * size;
  return {std::min(begin, count), std::min(begin + size, count)};
}

void Shards::finish_part(const Sum& begun) const {
  if (ranks_ == nullptr) return;
  ranks_->finish(begun.begun);
  const Part mine = part(begun.count);
  if (communicator_adds() || mine.size() == 0) return;
  std::vector<float*> blocks;
  for (std::size_t r = 0; r < nodes_.size(); ++r)
    blocks.push_back(begun.scratch + static_cast<Index>(r) * mine.size());
  const float* total = add_up(blocks, mine.size(), 0, count_);
  operations_.copy(begun.sum + mine.begin, total, mine.size());
}

void Shards::gather_parts(float* all, Index count) const {
  if (ranks_ != nullptr) gather(all, parts_of(count, std::ssize(nodes_)));
}

float* Shards::add_up(std::span<float* const> blocks, Index count, Index begin, Index end) const {
  for (std::size_t r = 0; r < nodes_.size(); ++r)
    if (nodes_[r].begin == begin && nodes_[r].end == end) return blocks[r];
  // The sum takes the place of its first node's.
  float* sum = add_up(blocks, count, begin, middle(begin, end));
  operations_.add(sum, add_up(blocks, count, middle(begin, end), end), count);
  return sum;
}

}  // namespace twinage
