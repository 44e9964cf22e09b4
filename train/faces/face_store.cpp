#include "train/faces/face_store.h"

#include <algorithm>
#include <atomic>

#include "core/content_hash.h"
#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"

namespace twinage {
namespace {

// Of the picture's file, or what stands for it.
class Bytes {
 public:
  explicit Bytes(const Face& face) {
    if (face.picture == nullptr) read_ = read_binary_file(face.path, kMaxImageBytes);
    all_ = face.picture == nullptr ? std::span<const std::byte>(read_) : *face.picture;
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  std::span<const std::byte> all() const { return all_; }

 private:
  std::vector<std::byte> read_;
  std::span<const std::byte> all_;
};

// What became of one picture.
struct Decoded {
  std::vector<std::uint8_t> rgb;  // empty when not to be kept
  std::string failure;            // empty when it could be decoded
};

Decoded decode(Face& face, Index side, bool keep, FaceStore::WhenNone none) {
  try {
    // One reading, so that the content is that of the pixels.
    const Bytes bytes(face);
    face.content = content_hash(bytes.all());
    const Image image = decode_image(bytes.all(), face.path);
    if (!keep) return {};
    return {resize_square(image, side).rgb, {}};
  } catch (const ImageError& error) {
    return {{}, error.reason};
  } catch (const ReadFailed& error) {
    // Without this face another network would be trained, and the run could not be resumed later.
    if (none != FaceStore::WhenNone::go_on) throw;
    return {{}, error.what()};
  } catch (const Error& error) {  // the file cannot be read
    return {{}, error.what()};
  }
}

}  // namespace

FaceStore::FaceStore(FaceDataset& dataset, Index side, int threads, std::size_t memory_limit_bytes,
                     const std::function<void(Index, Index)>& progress, WhenNone none)
    : dataset_(&dataset), side_(side) {
  require(side >= 1, "[face_store] expected a side of at least 1 pixel, got {}", side);
  const auto total = static_cast<Index>(dataset.faces.size());
  const Index fits =
      static_cast<Index>(std::min(memory_limit_bytes / bytes_of_face(), dataset.faces.size()));

  std::vector<Decoded> decoded(dataset.faces.size());
  std::atomic<Index> done = 0;
  parallel_for(threads, total, [&](Index i, int thread) {
    const auto at = static_cast<std::size_t>(i);
    decoded[at] = decode(dataset.faces[at], side, i < fits, none);
    const Index count = ++done;
    if (thread == 0 && progress) progress(count, total);
  });
  if (progress) progress(total, total);

  // Kept are the first `fits` without those that failed: again the first ones, in order.
  std::vector<Face> faces;
  faces.reserve(dataset.faces.size());
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    Face& face = dataset.faces[i];
    if (!decoded[i].failure.empty()) {
      dataset.skipped.push_back({face.path, decoded[i].failure});
      continue;
    }
    if (!decoded[i].rgb.empty()) kept_.push_back(std::move(decoded[i].rgb));
    faces.push_back(std::move(face));
  }
  dataset.faces = std::move(faces);
  std::ranges::stable_sort(dataset.skipped, {}, &Skipped::path);
  if (none != WhenNone::go_on && dataset.faces.empty() && total > 0) {
    const Skipped& first = dataset.skipped.front();
    fail("[face_store] none of {} pictures can be used; the first, {}: {}", total, first.path,
         first.reason);
  }
}

void FaceStore::keep(const std::vector<Index>& stayed) {
  std::vector<std::vector<std::uint8_t>> kept;
  for (const Index i : stayed)
    if (i < this->kept()) kept.push_back(std::move(kept_[static_cast<std::size_t>(i)]));
  kept_ = std::move(kept);
  require(stayed.size() == dataset_->faces.size(),
          "[face_store] expected the {} faces of the dataset, got {}", dataset_->faces.size(),
          stayed.size());
}

std::span<const std::uint8_t> FaceStore::pixels(Index i, Image& scratch) const {
  require(i >= 0 && i < size(), "[face_store] expected a face from 0 to {}, got {}", size() - 1, i);
  if (i < kept()) return kept_[static_cast<std::size_t>(i)];
  const Face& face = dataset_->faces[static_cast<std::size_t>(i)];
  scratch = resize_square(decode_image(Bytes(face).all(), face.path), side_);
  return scratch.rgb;
}

}  // namespace twinage
