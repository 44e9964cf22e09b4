#include "train/faces/pictures/png_inflate.h"

#include <limits>
#include <new>

#include <zlib.h>

#include "core/error.h"

namespace twinage {
namespace {

class Inflater {
 public:
  explicit Inflater(std::span<std::uint8_t> output) : output_(output) {
    give_room(output);
    // Any window is allowed: of the distances that a header rules out some writers make use.
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();  // it fails for nothing else
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Inflated run(std::span<const std::span<const std::byte>> parts) {
    for (const std::span<const std::byte> part : parts) {
      require(part.size() <= kMost, "[inflate] expected parts of at most {} bytes, got {}", kMost,
              part.size());
      // zlib promises not to write to it.
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(part.data()));
      stream_.avail_in = static_cast<uInt>(part.size());
      const int status = go_on();
      if (status == Z_STREAM_END) return {written(), InflateEnd::kComplete};
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      if (status != Z_OK && status != Z_BUF_ERROR) return {written(), InflateEnd::kDamaged};
      if (overflowed()) return {output_.size(), InflateEnd::kTooLarge};
    }
    return {written(), InflateEnd::kCutOff};
  }

 private:
  static constexpr std::size_t kMost = std::numeric_limits<uInt>::max();

  void give_room(std::span<std::uint8_t> room) {
    require(room.size() <= kMost, "[inflate] expected room for at most {} bytes, got {}", kMost,
            room.size());
    stream_.next_out = room.data();
    stream_.avail_out = static_cast<uInt>(room.size());
  }
  // Takes what there is of the input. Behind a full output the stream may still have its end, or
  // one byte too many, for which there is a place outside.
  int go_on() {
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_BUF_ERROR) return status;
    if (stream_.avail_out > 0 || full_) return status;
    full_ = true;
    give_room({&beyond_, 1});
    return ::inflate(&stream_, Z_NO_FLUSH);
  }
  bool overflowed() const { return full_ && stream_.avail_out == 0; }
  std::size_t written() const {
    return full_ ? output_.size() : output_.size() - stream_.avail_out;
  }

  std::span<std::uint8_t> output_;
  std::uint8_t beyond_ = 0;
  bool full_ = false;
  z_stream stream_{};
};

}  // namespace

Inflated inflate(std::span<const std::span<const std::byte>> parts,
                 std::span<std::uint8_t> output) {
  return Inflater(output).run(parts);
}

}  // namespace twinage
