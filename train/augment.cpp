#include "train/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace twinage {
namespace {

constexpr float kWhite = 255.0F;

float normalised(float value) {
  return (value - kPixelMean) * kPixelScale;
}

// Which source position an output pixel shows. Positions are in pixels, pixel i reaching from i to
// i + 1, so that its centre is at i + 0.5.
struct Placement {
  bool flip = false;
  bool resample = false;
  Index top = 0, left = 0;  // without resampling: of the crop
  // With resampling: source = centre + [cosine -sine; sine cosine] (output - S / 2).
  float centre_y = 0, centre_x = 0, cosine = 1, sine = 0;
};

struct Colour {
  float brightness = 0, contrast = 1, saturation = 1;

  // Contrast turns about the middle of the scale; what leaves the scale is cut off, as in a camera.
  float operator()(float value) const {
    const float varied = (value - kPixelMean) * contrast + kPixelMean + brightness * kWhite;
    return normalised(std::min(std::max(varied, 0.0F), kWhite));
  }
};

float either_way(Random& random, float range) {
  return range == 0 ? 0.0F : static_cast<float>(random.uniform(-range, range));
}

Placement place(const AugmentOptions& options, Random* random, Index side, Index size) {
  const Index slack = side - size;
  Placement place;
  place.top = place.left = slack / 2;
  if (random == nullptr) return place;
  place.flip = options.flip && random->chance(0.5);
  place.resample = options.zoom > 0 || options.rotation > 0;
  if (!place.resample) {
    if (options.crop) {
      place.top = static_cast<Index>(random->below(static_cast<std::uint64_t>(slack + 1)));
      place.left = static_cast<Index>(random->below(static_cast<std::uint64_t>(slack + 1)));
    }
    return place;
  }
  const float scale = 1 + either_way(*random, options.zoom);
  const float angle = either_way(*random, options.rotation) * 3.14159265F / 180;
  place.cosine = scale * std::cos(angle);
  place.sine = scale * std::sin(angle);
  // As far as the crop can move inside the picture before it is turned.
  const float reach =
      std::max(0.0F, (static_cast<float>(side) - scale * static_cast<float>(size)) * 0.5F);
  const float middle = static_cast<float>(side) * 0.5F;
  place.centre_y = middle + (options.crop ? either_way(*random, reach) : 0.0F);
  place.centre_x = middle + (options.crop ? either_way(*random, reach) : 0.0F);
  return place;
}

Colour draw_colour(const AugmentOptions& options, Random* random) {
  Colour colour;
  if (random == nullptr) return colour;
  colour.brightness = either_way(*random, options.brightness);
  colour.contrast = 1 + either_way(*random, options.contrast);
  colour.saturation = 1 + either_way(*random, options.saturation);
  return colour;
}

// Without resampling and saturation a result depends on one byte alone: 256 of them are computed.
void copy_by_table(View out, const std::uint8_t* rgb, Index side, const Placement& place,
                   const Colour& colour) {
  std::array<float, 256> table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = colour(static_cast<float>(i));
  const Index size = out.shape.w;
  for (Index y = 0; y < size; ++y) {
    const std::uint8_t* from = rgb + ((place.top + y) * side + place.left) * 3;
    float* to = out.pixel(y * size + (place.flip ? size - 1 : 0));
    const Index step = place.flip ? -out.ld : out.ld;
    for (Index x = 0; x < size; ++x, from += 3, to += step)
      for (Index c = 0; c < 3; ++c) to[c] = table[from[c]];
  }
}

void copy_row(float* row, const std::uint8_t* rgb, Index side, const Placement& place, Index y,
              Index size) {
  const std::uint8_t* from = rgb + ((place.top + y) * side + place.left) * 3;
  for (Index i = 0; i < size * 3; ++i) row[i] = static_cast<float>(from[i]);
}

// Bilinear; positions outside show the nearest pixel of the edge.
void resample_row(float* row, const std::uint8_t* rgb, Index side, const Placement& place, Index y,
                  Index size) {
  const float half = static_cast<float>(size) * 0.5F, last = static_cast<float>(side - 1);
  const float dy = static_cast<float>(y) + 0.5F - half;
  for (Index x = 0; x < size; ++x, row += 3) {
    const float dx = static_cast<float>(x) + 0.5F - half;
    const float at_x = place.centre_x + place.cosine * dx - place.sine * dy - 0.5F;
    const float at_y = place.centre_y + place.sine * dx + place.cosine * dy - 0.5F;
    const float u = std::min(std::max(at_x, 0.0F), last), v = std::min(std::max(at_y, 0.0F), last);
    const int x0 = static_cast<int>(u), y0 = static_cast<int>(v);
    const float fx = u - static_cast<float>(x0), fy = v - static_cast<float>(y0);
    const std::uint8_t* p = rgb + (y0 * side + x0) * 3;
    const Index right = x0 + 1 < side ? 3 : 0, down = y0 + 1 < side ? side * 3 : 0;
    for (Index c = 0; c < 3; ++c) {
      const float a = p[c], b = p[c + right], d = p[c + down], e = p[c + down + right];
      const float top = a + (b - a) * fx, bottom = d + (e - d) * fx;
      row[c] = top + (bottom - top) * fy;
    }
  }
}

void write_row(View out, const float* row, Index y, const Placement& place, const Colour& colour) {
  const Index size = out.shape.w;
  float* to = out.pixel(y * size + (place.flip ? size - 1 : 0));
  const Index step = place.flip ? -out.ld : out.ld;
  for (Index x = 0; x < size; ++x, row += 3, to += step) {
    // Luma of ITU-R BT.601, what JPEG calls Y.
    const float grey = 0.299F * row[0] + 0.587F * row[1] + 0.114F * row[2];
    for (Index c = 0; c < 3; ++c) to[c] = colour(grey + (row[c] - grey) * colour.saturation);
  }
}

// A rectangle of 2 to 20 % of the picture, up to twice as long as wide, becomes the mean grey,
// after "Random Erasing Data Augmentation" (Zhong et al. 2017).
void erase_rectangle(View out, Random& random) {
  const Index size = out.shape.w;
  const double area = random.uniform(0.02, 0.2), aspect = std::exp2(random.uniform(-1, 1));
  const auto extent = [&](double share) {
    const auto pixels = static_cast<Index>(std::lround(share * static_cast<double>(size)));
    return std::clamp(pixels, Index{1}, size);
  };
  const Index height = extent(std::sqrt(area * aspect)), width = extent(std::sqrt(area / aspect));
  const auto top = static_cast<Index>(random.below(static_cast<std::uint64_t>(size - height + 1)));
  const auto left = static_cast<Index>(random.below(static_cast<std::uint64_t>(size - width + 1)));
  for (Index y = top; y < top + height; ++y)
    for (Index x = left; x < left + width; ++x) std::fill_n(out.pixel(y * size + x), 3, 0.0F);
}

void check_range(const char* name, float value, float limit) {
  if (!(value >= 0 && value <= limit))
    throw UsageError(fmt::format("[augment] expected {} from 0 to {}, got {}", name, limit, value));
}

}  // namespace

void check_augment_options(const AugmentOptions& options) {
  check_range("zoom", options.zoom, 0.9F);
  check_range("rotation", options.rotation, 180);
  check_range("brightness", options.brightness, 1);
  check_range("contrast", options.contrast, 1);
  check_range("saturation", options.saturation, 1);
  check_range("erase", options.erase, 1);
}

void prepare_face(View out, std::span<const std::uint8_t> rgb, Index side,
                  const AugmentOptions& augment, Random* random, bool mirror) {
  const Index size = out.shape.w;
  require(size >= 1 && size <= side && out.shape == Shape{1, size, size, 3},
          "[prepare_face] expected out = (1, S, S, 3) with S from 1 to side = {}, got out = {}",
          side, out.shape);
  require(static_cast<Index>(rgb.size()) == side * side * 3,
          "[prepare_face] expected {} x {} x 3 bytes, got {}", side, side, rgb.size());
  // The order of the draws is part of what a batch is: (seed, step) must keep giving the same one.
  Placement placement = place(augment, random, side, size);
  placement.flip = placement.flip != mirror;
  const Colour colour = draw_colour(augment, random);
  if (!placement.resample && colour.saturation == 1) {
    copy_by_table(out, rgb.data(), side, placement, colour);
  } else {
    static thread_local std::vector<float> row;  // the same for every face: grows once a thread
    row.resize(static_cast<std::size_t>(size * 3));
    for (Index y = 0; y < size; ++y) {
      (placement.resample ? resample_row : copy_row)(row.data(), rgb.data(), side, placement, y,
                                                     size);
      write_row(out, row.data(), y, placement, colour);
    }
  }
  if (random != nullptr && augment.erase > 0 && random->chance(augment.erase))
    erase_rectangle(out, *random);
}

}  // namespace twinage
