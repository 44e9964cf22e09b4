#include "train/faces/augment.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace twinage {
namespace {

float either_way(Random& random, float range) {
  return range == 0 ? 0.0F : static_cast<float>(random.uniform(-range, range));
}

void draw_placement(ImageVariation& to, const AugmentOptions& options, Random& random, Index side,
                    Index size) {
  const Index slack = side - size;
  to.flip = options.flip && random.chance(0.5);
  to.resample = options.zoom > 0 || options.rotation > 0;
  if (!to.resample) {
    if (options.crop) {
      to.top = static_cast<Index>(random.below(static_cast<std::uint64_t>(slack + 1)));
      to.left = static_cast<Index>(random.below(static_cast<std::uint64_t>(slack + 1)));
    }
    return;
  }
  const float scale = 1 + either_way(random, options.zoom);
  const float angle = either_way(random, options.rotation) * 3.14159265F / 180;
  to.cosine = scale * std::cos(angle);
  to.sine = scale * std::sin(angle);
  // As far as the crop can move inside the picture before it is turned.
  const float reach =
      std::max(0.0F, (static_cast<float>(side) - scale * static_cast<float>(size)) * 0.5F);
  const float middle = static_cast<float>(side) * 0.5F;
  to.centre_y = middle + (options.crop ? either_way(random, reach) : 0.0F);
  to.centre_x = middle + (options.crop ? either_way(random, reach) : 0.0F);
}

void draw_colour(ImageVariation& to, const AugmentOptions& options, Random& random) {
  to.brightness = either_way(random, options.brightness);
  to.contrast = 1 + either_way(random, options.contrast);
  to.saturation = 1 + either_way(random, options.saturation);
}

// A rectangle of 2 to 20 % of the picture, up to twice as long as wide, becomes the mean grey,
// after "Random Erasing Data Augmentation" (Zhong et al. 2017).
void draw_rectangle(ImageVariation& to, Random& random, Index size) {
  const double area = random.uniform(0.02, 0.2), aspect = std::exp2(random.uniform(-1, 1));
  const auto extent = [&](double share) {
    const auto pixels = static_cast<Index>(std::lround(share * static_cast<double>(size)));
    return std::clamp(pixels, Index{1}, size);
  };
  const auto offset = [&](Index part) {
    return static_cast<Index>(random.below(static_cast<std::uint64_t>(size - part + 1)));
  };
  to.erase_height = extent(std::sqrt(area * aspect));
  to.erase_width = extent(std::sqrt(area / aspect));
  to.erase_top = offset(to.erase_height);
  to.erase_left = offset(to.erase_width);
}

}  // namespace

ImageVariation draw_variation(const AugmentOptions& options, Index side, Index size,
                              Random* random) {
  ImageVariation variation;
  variation.top = variation.left = (side - size) / 2;
  if (random != nullptr) {
    // The order of the draws is part of what a batch is: (seed, step) must keep giving the same.
    draw_placement(variation, options, *random, side, size);
    draw_colour(variation, options, *random);
    if (options.erase > 0 && random->chance(options.erase))
      draw_rectangle(variation, *random, size);
  }
  return variation;
}

ImageVariation look_at_centre(Index side, Index size, float zoom, bool mirror) {
  ImageVariation look = draw_variation({}, side, size, nullptr);
  look.flip = mirror;
  look.resample = zoom != 1;
  look.cosine = zoom;
  look.centre_y = look.centre_x = static_cast<float>(side) * 0.5F;
  return look;
}

}  // namespace twinage
