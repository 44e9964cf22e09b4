#include "train/faces/face_store.h"

#include <algorithm>
#include <atomic>
#include <cstring>

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

constexpr std::size_t kRoundBytes = std::size_t{1} << 24;  // of pictures, of one rank

// One picture as it travels: content, bytes of the picture and of the failure, then these.
void append(std::vector<std::uint8_t>& block, const Face& face, const Decoded& decoded) {
  const std::uint64_t head[] = {face.content, decoded.rgb.size(), decoded.failure.size()};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(head);
  block.insert(block.end(), bytes, bytes + sizeof head);
  block.insert(block.end(), decoded.rgb.begin(), decoded.rgb.end());
  block.insert(block.end(), decoded.failure.begin(), decoded.failure.end());
}

const std::uint8_t* take(const std::uint8_t* from, Face& face, Decoded& decoded) {
  std::uint64_t head[3];
  std::memcpy(head, from, sizeof head);
  from += sizeof head;
  face.content = head[0];
  decoded.rgb.assign(from, from + head[1]);
  from += head[1];
  decoded.failure.assign(from, from + head[2]);
  return from + head[2];
}

// The pictures [first, end) of this rank and those of all others, which are behind one another from
// `begin` on: after this all have all of them.
void share(Communicator& all, std::span<Face> faces, std::vector<Decoded>& decoded,
           std::size_t begin, std::size_t first, std::size_t end) {
  std::vector<std::uint8_t> mine;
  for (std::size_t i = first; i < end; ++i) append(mine, faces[i], decoded[i]);
  const auto rank = static_cast<std::size_t>(all.rank());
  std::vector<std::size_t> sizes(static_cast<std::size_t>(all.size()));
  sizes[rank] = mine.size();
  all.gather(sizes.data(), std::vector<std::size_t>(sizes.size(), sizeof(std::size_t)));
  std::vector<std::uint8_t> block(bytes_before(sizes, sizes.size()));
  std::ranges::copy(mine, block.begin() + static_cast<std::ptrdiff_t>(bytes_before(sizes, rank)));
  all.gather(block.data(), sizes);
  const std::uint8_t* at = block.data();
  for (std::size_t i = begin; at < block.data() + block.size(); ++i)
    at = take(at, faces[i], decoded[i]);
}

}  // namespace

FaceStore::FaceStore(FaceDataset& dataset, Index side, int threads, std::size_t memory_limit_bytes,
                     const std::function<void(Index, Index)>& progress, WhenNone none,
                     const Ranks& ranks)
    : dataset_(&dataset), side_(side) {
  require(side >= 1, "[face_store] expected a side of at least 1 pixel, got {}", side);
  const auto total = static_cast<Index>(dataset.faces.size());
  const Index fits =
      static_cast<Index>(std::min(memory_limit_bytes / bytes_of_face(), dataset.faces.size()));

  std::vector<Decoded> decoded(dataset.faces.size());
  std::atomic<Index> done = 0;
  // In rounds, in which each rank has some in a row: alone, one round is all.
  const Index some = std::max<Index>(1, static_cast<Index>(kRoundBytes / bytes_of_face()));
  const Index part = ranks.alone() ? total : std::min(some, ceil_div(total, ranks.size()));
  for (Index begin = 0; begin < total; begin += ranks.size() * part) {
    const Index first = std::min(total, begin + ranks.rank() * part);
    const Index end = std::min(total, first + part);
    ranks.together([&] {
      parallel_for(threads, end - first, [&](Index i, int thread) {
        const auto at = static_cast<std::size_t>(first + i);
        decoded[at] = decode(dataset.faces[at], side, first + i < fits, none);
        const Index count = ranks.size() * ++done;
        if (thread == 0 && progress) progress(std::min(count, total), total);
      });
    });
    if (!ranks.alone())
      share(*ranks.communicator(), dataset.faces, decoded, static_cast<std::size_t>(begin),
            static_cast<std::size_t>(first), static_cast<std::size_t>(end));
  }
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
