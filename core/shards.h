// Shards: how a batch is cut for sums over its images, so that the sums have the same bits whoever
// computes which part of them.
//
// A batch of N images is cut into S shards of consecutive images; shard s begins at image
// floor(s N / S). What is summed over the batch (a weight's gradient, say) is summed over each
// shard by itself, and the shards' sums are added along a tree that halves them:
//
//   sum(s ... e - 1) = sum(s ... m - 1) + sum(m ... e - 1),    m = s + floor((e - s) / 2)
//
// Processes ("ranks") share the shards out: each has one node of the tree, all shards below it,
// consecutive ones. So a rank adds up its own node, and only whole nodes have to travel, of any
// number of shards: the additions are the same for any number of ranks, and so are the bits. With
// R ranks the node of most shards (of equal ones the first) is halved until there are R: the shares
// are equal where S / R is a whole number and R a power of two.
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "core/communicator.h"
#include "core/shape.h"

namespace twinage {

struct Shard {
  Index index = 0;  // in the batch
  Index first = 0;  // image, counted from the first one of this rank
  Index images = 0;
};

// How floats are copied, and added to others, where those of the shards lie: in the memory of a
// device.
struct FloatOperations {
  std::function<void(float* to, const float* from, Index count)> copy;
  std::function<void(float* sum, const float* more, Index count)> add;
};

class Shards {
 public:
  // Throws Error unless 1 <= ranks <= shards <= batch. ranks: null where this process is alone;
  // must outlive the object, and reach the memory that all pointers below are into.
  Shards(Index batch, Index shards = 1, Communicator* ranks = nullptr);
  // By these from now on, and not by loops of the host.
  void compute_by(FloatOperations operations) { operations_ = std::move(operations); }
  const FloatOperations& operations() const { return operations_; }

  Index batch() const { return batch_; }                                  // images, of all ranks
  Index count() const { return count_; }                                  // shards, of all ranks
  Index begins_at(Index shard) const { return shard * batch_ / count_; }  // image of the batch

  std::span<const Shard> mine() const { return mine_; }
  Index first_image() const { return begins_at(mine_.front().index); }  // of this rank
  Index images() const { return images_; }                              // of this rank
  Index largest() const { return (batch_ + count_ - 1) / count_; }      // images of a shard

  // What each rank has: all[r] of floats_of_a_shard times its shards, or floats_of_an_image times
  // its images. This rank's part is there before, all of them after. Nothing to do without ranks.
  void gather_of_shards(float* all, Index floats_of_a_shard) const;
  void gather_of_images(float* all, Index floats_of_an_image) const;

  // `sum`, this rank's node of a sum of `count` floats, becomes the sum over the batch. Rank r adds
  // up the r-th part of all ranks' nodes, and then the parts are gathered: every rank sends and
  // receives 2 (R - 1) / R times the sum, as a ring's all-reduce does. scratch: sum_scratch(count).
  // Where the ranks' communicator adds by itself (Communicator::adds), it does, and the tree is not
  // kept to.
  void sum_over_ranks(float* sum, Index count, float* scratch) const {
    finish_sum(begin_sum(sum, count, scratch));
  }
  Index sum_scratch(Index count) const;  // floats; 0 without ranks
  // In two halves: between them the parts travel, and sum and scratch are left alone.
  struct Sum {
    float* sum;
    Index count;
    float* scratch;
    int begun;
  };
  Sum begin_sum(float* sum, Index count, float* scratch) const;
  void finish_sum(const Sum& sum) const {
    finish_part(sum);
    if (!communicator_adds()) gather_parts(sum.sum, sum.count);
  }

  // Of `count` floats that are shared out, this rank's part; all of them without ranks.
  struct Part {
    Index begin = 0, end = 0;
    Index size() const { return end - begin; }
  };
  Part part(Index count) const;
  // As finish_sum, but without the gathering: of the sum this rank's part is whole, the others are
  // as they were.
  void finish_part(const Sum& sum) const;
  // Of `count` floats each rank has its part; all ranks get all. Nothing to do without ranks.
  void gather_parts(float* all, Index count) const;

  // Called by layers in backward when this rank's part of a gradient, `count` floats at `sum`, is
  // complete. f: what then happens; empty: nothing.
  void when_whole(std::function<void(const float* sum, Index count)> f) { whole_ = std::move(f); }
  void is_whole(const float* sum, Index count) const {
    if (whole_) whole_(sum, count);
  }

  Communicator* ranks() const { return ranks_; }

 private:
  struct Node {
    Index begin = 0, end = 0;  // shards
    Index size() const { return end - begin; }
  };
  bool communicator_adds() const { return ranks_ != nullptr && ranks_->adds(); }
  float* add_up(std::span<float* const> blocks, Index count, Index begin, Index end) const;
  void gather(float* all, std::span<const Index> floats) const;

  Index batch_, count_, images_ = 0;
  Communicator* ranks_;
  FloatOperations operations_;
  std::vector<Node> nodes_;  // of each rank
  std::vector<Shard> mine_;
  std::function<void(const float*, Index)> whole_;
};

}  // namespace twinage
