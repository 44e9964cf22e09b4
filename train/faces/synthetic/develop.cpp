// From linear samples to a picture of bytes, as a camera would spoil it.
#include "train/faces/synthetic/portrait.h"

namespace twinage::synthetic {
namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

std::vector<Rgb> average_samples(const Canvas& c) {
  std::vector<Rgb> small(at(c.pixels * c.pixels));
  const float share = 1 / static_cast<float>(c.samples * c.samples);
  for (Index row = 0; row < c.side; ++row)
    for (Index column = 0; column < c.side; ++column) {
      Rgb& pixel = small[at(row / c.samples * c.pixels + column / c.samples)];
      pixel = pixel + c.picture[at(row * c.side + column)] * share;
    }
  return small;
}

// A blur with weights (k, 1, k) along rows, then along columns.
void blur(std::vector<Rgb>& x, Index pixels, float k) {
  const float rest = 1 / (1 + 2 * k);
  std::vector<Rgb> line(at(pixels));
  for (int pass = 0; pass < 2; ++pass) {
    const Index step = pass == 0 ? 1 : pixels, stride = pass == 0 ? pixels : 1;
    for (Index n = 0; n < pixels; ++n) {
      for (Index i = 0; i < pixels; ++i) line[at(i)] = x[at(n * stride + i * step)];
      for (Index i = 0; i < pixels; ++i) {
        const Rgb beside =
            line[at(std::max<Index>(i - 1, 0))] + line[at(std::min(i + 1, pixels - 1))];
        x[at(n * stride + i * step)] = (line[at(i)] + beside * k) * rest;
      }
    }
  }
}

}  // namespace

Image develop(const Canvas& c, const Photo& photo) {
  const Index pixels = c.pixels;
  std::vector<Rgb> x = average_samples(c);
  const float blurred = photo.blur * static_cast<float>(pixels) / 200;
  for (float left = blurred; left > 0.02F; left -= 0.5F) blur(x, pixels, std::min(left, 0.5F));
  Image image;
  image.width = image.height = pixels;
  image.rgb.resize(at(pixels * pixels * 3));
  for (Index i = 0; i < pixels * pixels; ++i) {
    const auto column = static_cast<std::int32_t>(i % pixels),
               row = static_cast<std::int32_t>(i / pixels);
    const Rgb p = x[at(i)];
    const float values[3] = {p.r, p.g, p.b};
    const float shared = hash01(column, row, photo.texture) - 0.5F;
    for (int k = 0; k < 3; ++k) {
      // The sum of two uniform numbers is close enough to the grain of a sensor.
      const float grain =
          shared + hash01(column, row, photo.texture + 1 + static_cast<std::uint32_t>(k)) - 0.5F;
      const float light = std::max(0.0F, values[k] * photo.exposure);
      const float toned = light < 0.7F ? light : 1 - 0.09F / (light - 0.4F);  // soft highlights
      const float shown =
          0.45F + (std::sqrt(toned) - 0.45F) * photo.contrast + 2.4F * photo.grain * grain;
      image.rgb[at(3 * i + k)] = static_cast<std::uint8_t>(255 * clamp01(shown) + 0.5F);
    }
  }
  return image;
}

}  // namespace twinage::synthetic
