#include "train/faces/pictures/jpeg_reader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "train/faces/pictures/jpeg_huffman.h"
#include "train/faces/pictures/jpeg_scan.h"
#include "train/faces/pictures/jpeg_segments.h"
#include "train/faces/pictures/jpeg_writer.h"
#include "train/faces/pictures/picture_faults.h"
#include "train/faces/pictures/stb.h"

namespace twinage {
namespace {

using Fault = std::optional<std::string>;
using Bytes = std::span<const std::byte>;
constexpr std::uint64_t kAllCoefficients = ~std::uint64_t{0};
constexpr int kMaxScans = 100;  // ordinary ones have 10; each costs time, however short it is

unsigned byte_at(Bytes bytes, std::size_t at) {
  return std::to_integer<unsigned>(bytes[at]);
}
unsigned number_at(Bytes bytes, std::size_t at) {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

// Goes through a JPEG and writes a second one, of what the picture needs and nothing else: tables,
// frame, scans. stb_image before version 2.28 (Debian 12 has an older one) writes beyond its tables
// when a file declares more than 256 codes, decodes with whatever lies in memory when a table was
// never declared, and takes missing blocks and scans for grey or for what memory holds
// (github.com/nothings/stb, issues 1289 and 1291). None of that gets into the second file.
class JpegReader {
 public:
  JpegReader(Bytes bytes, const std::string& name)
      : bytes_(bytes), name_(name), clean_(bytes.size() + 64) {}

  // The second file.
  std::vector<std::byte> read() {
    read_segments();
    if (!is_complete()) fail_as_cut_off(name_, there_);
    return clean_.finish();
  }
  Index width() const { return width_; }
  Index height() const { return height_; }

 private:
  void read_segments() {
    for (at_ = 2; progressive_ || !is_complete();) {
      const JpegMarkerAt next = next_jpeg_marker(bytes_, at_);
      if (next.marker == kJpegNone || next.marker == kJpegEnd) {
        ended_ = next.marker == kJpegEnd;
        return;
      }
      at_ = next.behind;
      if (!has_jpeg_segment(next.marker)) continue;
      if (at_ + 2 > bytes_.size()) return;
      const std::size_t length = number_at(bytes_, at_);  // counts itself
      if (length > bytes_.size() - at_) return;
      const Fault fault = length < 2 ? Fault("a segment has no length")
                                     : look_at(next.marker, bytes_.subspan(at_, length).subspan(2));
      if (!fault) continue;
      ended_ = true;
      if (is_complete()) return;  // whatever is wrong comes behind the picture
      fail_as_damaged(name_, *fault);
    }
  }

  // Leaves at_ behind the segment.
  Fault look_at(std::uint8_t marker, Bytes content) {
    at_ += content.size() + 2;
    switch (marker) {
      case kJpegHuffmanTables:
        return declare_codes(content);
      case kJpegQuantisation:
        return declare_quantisation(content);
      case kJpegRestartInterval:
        if (content.size() != 2) return "a restart interval of no number";
        restart_interval_ = number_at(content, 0);
        clean_.write_segment(marker, content);
        return std::nullopt;
      case kJpegScan:
        return read_scan(content);
      case kJpegApplication0:
        jfif_ = jfif_ || begins_with(content, {"JFIF\0", 5});
        return std::nullopt;
      case kJpegApplication14:
        if (content.size() >= 12 && begins_with(content, "Adobe"))
          adobe_transform_ = byte_at(content, 11);
        return std::nullopt;
      default:
        return marker >= kJpegBaseline && marker <= kJpegLastFrame ? read_frame(marker, content)
                                                                   : std::nullopt;
    }
  }

  static bool begins_with(Bytes content, std::string_view text) {
    return content.size() >= text.size() &&
           std::memcmp(content.data(), text.data(), text.size()) == 0;
  }

  // Each table: class (0 DC, 1 AC) and number; how many codes have 1, ..., 16 bits; their values.
  Fault declare_codes(Bytes content) {
    for (Bytes rest = content; !rest.empty();) {
      if (rest.size() < 17) return "a Huffman table is cut off";
      const unsigned kind = byte_at(rest, 0) >> 4, number = byte_at(rest, 0) & 15;
      std::size_t codes = 0;
      for (std::byte count : rest.subspan(1, 16)) codes += std::to_integer<std::size_t>(count);
      if (kind > 1 || number > 3) return "a Huffman table has no such number";
      if (codes > 256) return "a Huffman table has more than 256 codes";
      if (rest.size() < 17 + codes) return "a Huffman table is cut off";
      if (!huffman_[kind][number].emplace().set(rest.subspan(1, 16), rest.subspan(17, codes)))
        return "a Huffman table has more codes than there are";
      rest = rest.subspan(17 + codes);
    }
    clean_.write_segment(kJpegHuffmanTables, content);
    return std::nullopt;
  }

  // Each table: precision (0: 8 bits, 1: 16) and number; 64 values.
  Fault declare_quantisation(Bytes content) {
    for (Bytes rest = content; !rest.empty();) {
      const unsigned precision = byte_at(rest, 0) >> 4, number = byte_at(rest, 0) & 15;
      const std::size_t size = 1 + 64 * (1 + std::size_t{precision});
      if (precision > 1 || number > 3) return "a quantisation table has no such number";
      if (rest.size() < size) return "a quantisation table is cut off";
      quantisation_[number] = true;
      rest = rest.subspan(size);
    }
    clean_.write_segment(kJpegQuantisation, content);
    return std::nullopt;
  }

  // T.81, B.2.2: bits, height, width, and of every component its name, its share of an MCU and its
  // quantisation table.
  Fault read_frame(std::uint8_t marker, Bytes content) {
    if (marker == kJpegExtension || marker == kJpegConditioning) return std::nullopt;
    if (marker >= 0xC9) fail_as_unsupported(name_, "an arithmetic-coded JPEG");
    if (marker == 0xC3) fail_as_unsupported(name_, "a lossless JPEG");
    if (marker >= 0xC5) fail_as_unsupported(name_, "a hierarchical JPEG");
    if (!components_.empty()) return "it has two frames";
    if (content.size() < 6) return "its header is cut off";
    if (byte_at(content, 0) != 8)
      fail_as_unsupported(name_, fmt::format("a JPEG of {} bits a colour", byte_at(content, 0)));
    progressive_ = marker == kJpegProgressive;
    height_ = number_at(content, 1);
    width_ = number_at(content, 3);
    if (height_ == 0) height_ = lines_behind_scan();
    check_picture_size(width_, height_, name_);
    const std::size_t count = byte_at(content, 5);
    if (content.size() != 6 + 3 * count) return "its header is cut off";
    if (count != 1 && count != 3 && count != 4)
      fail_as_unsupported(name_, fmt::format("a JPEG of {} colour components", count));
    for (Bytes rest = content.subspan(6); !rest.empty(); rest = rest.subspan(3)) {
      JpegComponent& c = components_.emplace_back();
      c.id = static_cast<std::uint8_t>(byte_at(rest, 0));
      c.h = byte_at(rest, 1) >> 4;
      c.v = byte_at(rest, 1) & 15;
      c.quantisation = static_cast<std::uint8_t>(byte_at(rest, 2));
      if (c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quantisation > 3)
        return "a component of its header makes no sense";
      if (std::ranges::count(components_, c.id, &JpegComponent::id) > 1)
        return "two components have one name";
      h_max_ = std::max(h_max_, c.h);
      v_max_ = std::max(v_max_, c.v);
    }
    lay_out();
    return std::nullopt;
  }

  void lay_out() {
    const auto parts = [](Index whole, Index part) { return (whole + part - 1) / part; };
    mcus_x_ = parts(width_, 8 * h_max_);
    mcus_y_ = parts(height_, 8 * v_max_);
    for (JpegComponent& c : components_) {
      if (h_max_ % c.h != 0 || v_max_ % c.v != 0)
        fail_as_unsupported(name_, "a JPEG with colours at a fraction such as 2/3 of its size");
      c.blocks_x = parts(parts(width_ * c.h, h_max_), 8);
      c.blocks_y = parts(parts(height_ * c.v, v_max_), 8);
      c.padded_x = mcus_x_ * c.h;
      c.padded_y = mcus_y_ * c.v;
      blocks_ += c.padded_x * c.padded_y;
    }
  }

  // A header may leave the height to a segment behind the first scan (T.81, B.2.5); 0 when there is
  // none.
  Index lines_behind_scan() const {
    bool in_scan = false;
    for (std::size_t at = at_;;) {
      const JpegMarkerAt next = next_jpeg_marker(bytes_, at);
      if (next.marker == kJpegNone || next.marker == kJpegEnd) return 0;
      at = next.behind;
      if (!has_jpeg_segment(next.marker)) continue;
      if (at + 4 > bytes_.size()) return 0;
      if (next.marker == kJpegLines && in_scan) return number_at(bytes_, at + 2);
      in_scan = in_scan || next.marker == kJpegScan;
      at += number_at(bytes_, at);
    }
  }

  // T.81, B.2.3: the number of components; of each its name and its DC and AC table; then the first
  // and last coefficient and the bits of successive approximation.
  Fault read_scan(Bytes content) {
    if (components_.empty()) return "a scan without a frame";
    if (++scans_ > kMaxScans) return fmt::format("it has more than {} scans", kMaxScans);
    const std::size_t count = content.empty() ? 0 : byte_at(content, 0);
    if (count < 1 || count > components_.size() || content.size() != 4 + 2 * count)
      return "the header of a scan is cut off";
    JpegScan scan;
    scan.progressive = progressive_;
    scan.restart_interval = restart_interval_;
    if (progressive_) {
      scan.first = byte_at(content, 1 + 2 * count);
      scan.last = byte_at(content, 2 + 2 * count);
      scan.approximation = byte_at(content, 3 + 2 * count);
      scan.refines = scan.approximation >> 4 != 0;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const unsigned id = byte_at(content, 1 + 2 * i), tables = byte_at(content, 2 + 2 * i);
      if (Fault fault = add_component(scan, id, tables >> 4, tables & 15)) return fault;
    }
    if (Fault fault = check_order(scan)) return fault;
    const JpegComponent& alone = *scan.components[0].component;
    scan.mcus_x = count == 1 ? alone.blocks_x : mcus_x_;
    scan.mcus_y = count == 1 ? alone.blocks_y : mcus_y_;
    return walk_scan(scan, content);
  }

  Fault add_component(JpegScan& scan, unsigned id, unsigned dc, unsigned ac) {
    const auto found = std::ranges::find(components_, id, &JpegComponent::id);
    if (found == components_.end()) return "a scan of a component that is not there";
    for (const JpegScanComponent& other : scan.components)
      if (other.component == &*found) return "a scan has a component twice";
    if (!quantisation_[found->quantisation]) return "a quantisation table is missing";
    // Progressive scans hold either DC or AC coefficients; bits that refine DC have no code.
    const bool needs_dc = scan.first == 0 && !scan.refines;
    const bool needs_ac = !progressive_ || scan.first > 0;
    if ((needs_dc && !is_declared(0, dc)) || (needs_ac && !is_declared(1, ac)))
      return "a Huffman table is missing";
    scan.components.push_back(
        {&*found, needs_dc ? &*huffman_[0][dc] : nullptr, needs_ac ? &*huffman_[1][ac] : nullptr});
    return std::nullopt;
  }
  bool is_declared(std::size_t kind, std::size_t number) const {
    return number < 4 && huffman_[kind][number];
  }

  static std::uint64_t coefficients_of(const JpegScan& scan) {
    return kAllCoefficients >> (63 - scan.last + scan.first) << scan.first;
  }

  // Each coefficient is sent once and then refined, DC before AC (T.81, G.1.1.1).
  Fault check_order(const JpegScan& scan) const {
    const bool band = scan.first > 0;
    if (scan.last > 63 || scan.first > scan.last || (scan.approximation & 15) > 13 ||
        scan.approximation >> 4 > 13 ||
        (progressive_ && (band ? scan.components.size() > 1 : scan.last > 0)))
      return "a scan of coefficients that do not belong together";
    const std::uint64_t sent = coefficients_of(scan);
    for (const JpegScanComponent& c : scan.components) {
      const std::uint64_t begun = c.component->begun;
      if (scan.refines ? (begun & sent) != sent : (begun & sent) != 0 || (band && !(begun & 1)))
        return "its scans come in no order";
    }
    return std::nullopt;
  }

  Fault walk_scan(const JpegScan& scan, Bytes content) {
    if (!frame_written_)
      clean_.write_frame(progressive_, width_, height_, components_, is_transformed());
    frame_written_ = true;
    for (const JpegScanComponent& c : scan.components)
      if (progressive_ && c.component->nonzero.empty())
        c.component->nonzero.resize(
            static_cast<std::size_t>(c.component->padded_x * c.component->padded_y));
    const std::size_t before = clean_.bytes().size();
    clean_.write_scan_header(scan, components_, content);
    const JpegWalk walk = walk_jpeg_scan(bytes_, at_, scan, clean_.bytes());
    const Index all = scan.mcus_x * scan.mcus_y;
    double blocks = 0;
    for (const JpegScanComponent& c : scan.components)
      blocks += static_cast<double>(c.component->padded_x * c.component->padded_y);
    if (!scan.refines)
      there_ += blocks / static_cast<double>(blocks_) * (scan.last - scan.first + 1) / 64.0 *
                static_cast<double>(walk.mcus) / static_cast<double>(all);
    if (walk.mcus < all) {
      clean_.bytes().resize(before);
      if (scan.refines) return "a scan that refines the picture is not all there";
      if (walk.damaged)
        return fmt::format("its data make no sense behind {} % of it",
                           static_cast<int>(there_ * 100));
      fail_as_cut_off(name_, there_);
    }
    at_ = walk.end;
    for (const JpegScanComponent& c : scan.components) c.component->begun |= coefficients_of(scan);
    return std::nullopt;
  }

  // All blocks of all components. The high coefficients of a colour may be left out, where the file
  // does not end in the middle; those of what is light and dark may not.
  bool is_complete() const {
    if (components_.empty() || components_[0].begun != kAllCoefficients) return false;
    return std::ranges::all_of(components_, [&](const JpegComponent& c) {
      return c.begun == kAllCoefficients || (ended_ && (c.begun & 1) != 0);
    });
  }

  // libjpeg's rules (its file jdapimin.c): what three components are is said by JFIF, by Adobe's
  // marker, or by their names; four are CMYK unless Adobe's marker says YCCK.
  bool is_transformed() const {
    if (components_.size() == 4) return adobe_transform_.value_or(0) != 0;
    if (jfif_) return true;
    if (adobe_transform_) return *adobe_transform_ != 0;
    return components_[0].id != 'R' || components_[1].id != 'G' || components_[2].id != 'B';
  }

  Bytes bytes_;
  const std::string& name_;
  std::size_t at_ = 0;
  JpegWriter clean_;
  std::array<std::array<std::optional<JpegHuffman>, 4>, 2> huffman_;
  std::array<bool, 4> quantisation_{};
  std::vector<JpegComponent> components_;
  Index width_ = 0, height_ = 0, h_max_ = 1, v_max_ = 1, mcus_x_ = 0, mcus_y_ = 0, blocks_ = 0;
  Index restart_interval_ = 0;
  std::optional<unsigned> adobe_transform_;
  bool progressive_ = false, jfif_ = false, frame_written_ = false;
  bool ended_ = false;  // where the file says so, not where it is cut off
  int scans_ = 0;
  double there_ = 0;  // of the picture, 0 to 1
};

}  // namespace

Image read_jpeg(std::span<const std::byte> bytes, const std::string& name) {
  JpegReader reader(bytes, name);
  const std::vector<std::byte> clean = reader.read();
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(clean.data()),
                            static_cast<int>(clean.size()), &width, &height, &channels, STBI_rgb),
      stbi_image_free);
  if (!pixels) {
    const std::string_view reason = stbi_failure_reason();
    // What begins as a JPEG is one of an unknown type only where there is no memory to look
    // further.
    if (reason == "outofmem" || reason == "unknown image type") throw std::bad_alloc();
    fail_as_damaged(name, reason);
  }
  require(width == reader.width() && height == reader.height(),
          "[jpeg] {}: expected {} x {} pixels, got {} x {}", name, reader.width(), reader.height(),
          width, height);
  Image image{width, height, {}};
  image.rgb.assign(pixels.get(), pixels.get() + image.width * image.height * 3);
  return image;
}

}  // namespace twinage
