// The pictures of a dataset at the size they are trained at, in memory as far as they fit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/ranks.h"
#include "train/faces/face_dataset.h"
#include "train/faces/pictures/image.h"

namespace twinage {

// Decodes pictures once and keeps them at `side` pixels as bytes, within a memory limit; what does
// not fit is decoded anew each time.
class FaceStore {
 public:
  // Decodes every picture once, on `threads` threads, also those that do not fit: a picture that
  // cannot be decoded should be known now and not hours into a run. Such faces are moved from
  // dataset.faces to dataset.skipped; the order of the others stays. Sets Face::content. Calls
  // progress(done, total) now and then, on the calling thread. When none is left, throws Error, or
  // goes on if that is wanted; the same when the disk, say, fails to give a picture (ReadFailed).
  // `dataset` must outlive the store, its faces unchanged but for keep(). Several ranks read and
  // decode a part each and hand each other what came of it: all have all of it then.
  enum class WhenNone { fail, go_on };
  FaceStore(FaceDataset& dataset, Index side, int threads, std::size_t memory_limit_bytes,
            const std::function<void(Index, Index)>& progress = {}, WhenNone none = WhenNone::fail,
            const Ranks& ranks = {});

  // After faces were taken out of the dataset: those that stayed, as ascending indices before.
  void keep(const std::vector<Index>& stayed);

  Index side() const { return side_; }
  std::size_t bytes_of_face() const { return static_cast<std::size_t>(side_ * side_ * 3); }
  Index size() const { return static_cast<Index>(dataset_->faces.size()); }
  Index kept() const { return static_cast<Index>(kept_.size()); }  // the first ones are in memory
  // RGB bytes [side][side][3] of face i; `scratch` is used when it is not kept in memory. May be
  // called from several threads, each with a scratch of its own. Throws ImageError when the file
  // has been lost or damaged since.
  std::span<const std::uint8_t> pixels(Index i, Image& scratch) const;

 private:
  const FaceDataset* dataset_;
  Index side_;
  std::vector<std::vector<std::uint8_t>> kept_;
};

}  // namespace twinage
