#include "train/faces/pictures/jpeg_scan.h"

#include <algorithm>
#include <bit>

#include "train/faces/pictures/jpeg_segments.h"

namespace twinage {
namespace {

// A value of a table of AC coefficients: so many zeros, then a coefficient of so many bits.
int run_of(int value) {
  return value >> 4;
}
int bits_of(int value) {
  return value & 15;
}
constexpr int kSixteenZeros = 0xF0;

// The functions below walk over one block; false where it is cut off or damaged.

bool walk_sequential(JpegBits& bits, const JpegHuffman& dc, const JpegHuffman& ac) {
  int value = bits.value(dc);
  if (value < 0 || value > 15) return false;
  for (int k = 1; k < 64;) {
    value = bits.value(ac);
    if (value < 0) return false;
    if (bits_of(value) == 0 && value != kSixteenZeros) return true;  // the rest is zero
    k += run_of(value) + 1;
    if (k > 64) return false;
  }
  return true;
}

class ScanWalker {
 public:
  ScanWalker(std::span<const std::byte> jpeg, std::size_t at, const JpegScan& scan)
      : jpeg_(jpeg), at_(at), scan_(scan) {}

  JpegWalk walk(std::vector<std::byte>& data) {
    const Index total = scan_.mcus_x * scan_.mcus_y;
    JpegWalk walk;
    for (unsigned restart = 0;; ++restart) {
      const Index left = total - walk.mcus;
      const Index interval =
          scan_.restart_interval > 0 ? std::min(scan_.restart_interval, left) : left;
      JpegBits bits(jpeg_, at_);
      end_of_band_run_ = 0;
      for (Index i = 0; i < interval; ++i, ++walk.mcus)
        if (!walk_mcu(bits, walk.mcus)) {
          walk.damaged = !bits.is_cut_off();
          return walk;
        }
      walk.end = bits.end();
      data.insert(data.end(), jpeg_.data() + at_, jpeg_.data() + walk.end);
      if (walk.mcus == total) return walk;
      const JpegMarkerAt next = next_jpeg_marker(jpeg_, walk.end);
      const auto expected = static_cast<std::uint8_t>(kJpegRestart0 + restart % 8);
      if (next.marker != expected) {  // a restart marker of another number: data are missing
        walk.damaged = (next.marker & 0xF8) == kJpegRestart0;
        return walk;
      }
      data.insert(data.end(), {std::byte{0xFF}, std::byte{expected}});
      at_ = next.behind;
    }
  }

 private:
  bool walk_mcu(JpegBits& bits, Index mcu) {
    const Index y = mcu / scan_.mcus_x, x = mcu % scan_.mcus_x;
    const bool interleaved = scan_.components.size() > 1;
    for (const JpegScanComponent& c : scan_.components) {
      const Index h = interleaved ? c.component->h : 1, v = interleaved ? c.component->v : 1;
      for (Index j = 0; j < v; ++j)
        for (Index i = 0; i < h; ++i) {
          const bool there = scan_.progressive ? walk_progressive(bits, c, y * v + j, x * h + i)
                                               : walk_sequential(bits, *c.dc, *c.ac);
          if (!there) return false;
        }
    }
    return true;
  }

  bool walk_progressive(JpegBits& bits, const JpegScanComponent& c, Index y, Index x) {
    if (scan_.first == 0) {
      if (scan_.refines) return bits.number(1) >= 0;
      const int value = bits.value(*c.dc);
      return value >= 0 && value <= 15;
    }
    std::uint64_t& nonzero =
        c.component->nonzero[static_cast<std::size_t>(y * c.component->padded_x + x)];
    return scan_.refines ? refine(bits, *c.ac, nonzero) : walk_band(bits, *c.ac, nonzero);
  }

  // T.81, G.1.2.2. A value without bits of its own ends the band, in this block and as many more as
  // its run says.
  bool begin_run(JpegBits& bits, int run) {
    const int more = run > 0 ? bits.number(run) : 0;
    end_of_band_run_ = (1 << run) - 1 + more;
    return more >= 0;
  }

  bool walk_band(JpegBits& bits, const JpegHuffman& ac, std::uint64_t& nonzero) {
    if (end_of_band_run_ > 0) {
      --end_of_band_run_;
      return true;
    }
    for (unsigned k = scan_.first; k <= scan_.last; ++k) {
      const int value = bits.value(ac);
      if (value < 0) return false;
      if (bits_of(value) == 0 && value != kSixteenZeros) return begin_run(bits, run_of(value));
      k += static_cast<unsigned>(run_of(value));
      if (bits_of(value) == 0) continue;
      if (k > scan_.last) return false;
      nonzero |= std::uint64_t{1} << k;
    }
    return true;
  }

  // T.81, G.1.2.3: every coefficient that is not zero has one more bit, and others cease to be zero
  // behind runs of those that stay so.
  bool refine(JpegBits& bits, const JpegHuffman& ac, std::uint64_t& nonzero) {
    const auto is_nonzero = [&](unsigned k) { return (nonzero >> k & 1) != 0; };
    if (end_of_band_run_ > 0) {
      --end_of_band_run_;
      for (unsigned k = scan_.first; k <= scan_.last; ++k)
        if (is_nonzero(k) && bits.number(1) < 0) return false;
      return true;
    }
    for (unsigned k = scan_.first; k <= scan_.last;) {
      const int value = bits.value(ac);
      if (value < 0 || bits_of(value) > 1) return false;
      int zeros = run_of(value);
      if (bits_of(value) == 0 && value != kSixteenZeros) {
        if (!begin_run(bits, zeros)) return false;
        zeros = 64;  // to the end of the band
      }
      for (; k <= scan_.last; ++k) {
        if (is_nonzero(k)) {
          if (bits.number(1) < 0) return false;
        } else if (zeros-- == 0) {
          nonzero |= std::uint64_t{bits_of(value) != 0} << k++;
          break;
        }
      }
    }
    return true;
  }

  std::span<const std::byte> jpeg_;
  std::size_t at_;
  const JpegScan& scan_;
  int end_of_band_run_ = 0;
};

}  // namespace

JpegWalk walk_jpeg_scan(std::span<const std::byte> jpeg, std::size_t at, const JpegScan& scan,
                        std::vector<std::byte>& data) {
  return ScanWalker(jpeg, at, scan).walk(data);
}

}  // namespace twinage
