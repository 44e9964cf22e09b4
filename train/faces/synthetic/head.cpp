// The head: relief and colour of the skin, then one pass of light over them.
#include "train/faces/synthetic/portrait.h"

namespace twinage::synthetic {

float head_radius(const Traits& t, Point p) {
  const float x = std::abs(p.x) / t.head_width;
  if (p.y < 0) {
    const float y = p.y / t.crown, round = x * x + y * y;
    const float square = std::sqrt(x * x * x * x + y * y * y * y);
    return std::sqrt(mix(round, square, 0.25F));
  }
  const float y = p.y / t.chin;
  const float low = (p.y - 0.55F * t.chin) / (0.45F * t.chin);
  const float hollow = (p.y - 0.4F * t.chin) / (0.3F * t.chin);
  const float width = 1 - t.jaw_taper * y * y + 0.09F * (t.cheeks - 0.3F) * bell(low * low) -
                      0.04F * t.hollows * bell(hollow * hollow) +
                      0.05F * t.jowls * bell(4 * (y - 0.75F) * (y - 0.75F) * 4);
  const float u = x / width, u2 = u * u, y2 = y * y;
  return mix(std::sqrt(u2 + y2), std::sqrt(std::sqrt(u2 * u2 + y2 * y2)), t.jaw_square);
}

namespace {

constexpr float kSides[2] = {-1, 1};

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

Box head_box(const Traits& t) {
  const float w = t.head_width * 1.08F + 0.03F;
  return {-w, -t.crown - 0.03F, w, t.chin + 0.03F};
}

void shape_skull(Canvas& c, const Traits& t) {
  const float smallest = std::min({t.head_width, t.chin, t.crown});
  c.each(head_box(t), [&](Index i, Point p) {
    const float radius = head_radius(t, p), g = std::min(1.0F, radius);
    c.depth[at(i)] = (1 - radius) * smallest;
    c.relief[at(i)] = 0.75F * t.head_width * std::sqrt(1 - g * g * g * std::sqrt(g));
  });
}

void shape_bones(Canvas& c, const Traits& t) {
  for (const float side : kSides) {
    auto raise = [&](Blob b, float height) { c.raise(on_side(side, b), height); };
    raise({{t.eye_x, -0.02F}, 0.36F, 0.24F}, -0.075F);  // socket
    raise({{t.eye_x, 0.0F}, 0.24F, 0.16F}, 0.045F);     // eyeball
    raise({{t.eye_x - 0.04F, t.brow_y + 0.04F}, 0.42F, 0.13F, 0.1F}, 0.02F + 0.045F * t.brow_ridge);
    raise({{0.55F, 0.38F * t.chin}, 0.46F, 0.42F}, 0.05F + 0.07F * t.cheeks);  // cheek
    raise({{0.60F, 0.27F}, 0.33F, 0.2F, -0.4F}, 0.035F * (1 - t.cheeks) + 0.03F * t.smile);
    raise({{0.66F, 0.62F * t.chin}, 0.3F, 0.42F}, -0.07F * t.hollows);
    raise({{0.9F, -0.35F}, 0.3F, 0.4F}, -0.05F * t.hollows);  // temple
    raise({{0.52F, 0.82F * t.chin}, 0.24F, 0.2F}, 0.07F * t.jowls);
  }
  c.raise(Blob{{0, t.mouth_y - 0.02F}, 0.52F, 0.36F}, 0.07F);  // teeth behind the lips
  c.raise(Blob{{0, t.chin - 0.2F}, 0.34F, 0.22F}, 0.06F + 0.03F * t.jaw_square);
  c.raise(Blob{{0, mix(t.mouth_y, t.chin, 0.42F)}, 0.32F, 0.09F}, -0.035F);  // under the lower lip
  c.raise(Blob{{0, -0.75F * t.crown}, 0.7F, 0.5F}, 0.03F);
}

void shape_nose(Canvas& c, const Traits& t) {
  const float y = t.nose_y, w = t.nose_width, h = t.nose_relief;
  c.raise(Blob{{0, 0.42F * y}, 0.15F, 0.75F * y}, 0.13F * h);         // ridge
  c.raise(Blob{{0, y - 0.03F}, 0.15F + 0.2F * w, 0.15F}, 0.13F * h);  // tip
  c.raise(Blob{{0, y - 0.01F}, w + 0.12F, 0.16F}, 0.05F * h);
  c.raise(Blob{{0, 0.0F}, 0.17F, 0.12F}, -0.03F);  // root
  for (const float side : kSides) {
    c.raise(on_side(side, Blob{{w * 0.82F, y + 0.01F}, 0.095F, 0.10F}), 0.065F * h);
    c.raise(on_side(side, Stroke{{w * 1.06F, y - 0.09F}, {w * 0.95F, y + 0.09F}, 0.03F, 0.03F}),
            -0.035F * h);
    const Blob nostril{{w * 0.46F, y + 0.085F}, 0.07F, 0.036F, 0.25F};
    c.tint_skin(on_side(side, nostril), {0.18F, 0.10F, 0.09F}, 0.95F);
    c.raise(on_side(side, Stroke{{0.035F, y + 0.13F}, {0.05F, t.mouth_y - 0.08F}, 0, 0.03F}),
            0.012F);  // philtrum
  }
}

// Grooves of age; each person's lie a little elsewhere.
void shape_wrinkles(Canvas& c, const Traits& t) {
  auto jitter = [&](int i) { return hash01(i, 7, t.texture) - 0.5F; };
  for (int i = 0; i < 5; ++i) {
    const float strength = clamp01(1.7F * t.forehead_lines - 0.17F * static_cast<float>(i));
    const float y = t.brow_y - 0.19F - 0.105F * static_cast<float>(i) + 0.03F * jitter(i);
    const float half = 0.36F + 0.2F * strength + 0.15F * jitter(10 + i),
                off = 0.15F * jitter(20 + i);
    c.raise(Stroke{{off - half, y}, {off + half, y + 0.05F * jitter(30 + i)}, 0.05F, 0.021F},
            -0.026F * strength);
  }
  for (const float side : kSides) {
    auto groove = [&](Stroke s, float depth) { c.raise(on_side(side, s), -depth); };
    const int key = side > 0 ? 40 : 60;
    const float outer = t.eye_x + t.eye_width;
    for (int i = 0; i < 4; ++i) {
      const float k = static_cast<float>(i) - 1.5F, reach = 0.12F + 0.14F * t.crows_feet;
      groove({{outer + 0.05F, 0.02F + 0.035F * k},
              {outer + reach, 0.03F + (0.085F + 0.03F * jitter(key + i)) * k},
              0.012F * k,
              0.017F},
             0.024F * clamp01(1.6F * t.crows_feet - 0.12F * static_cast<float>(i)));
    }
    const float fold = clamp01(0.85F * t.nasolabial + 0.3F * t.smile);
    const Point corner{t.mouth_width + 0.10F, t.mouth_y - 0.02F};
    groove({{t.nose_width + 0.06F, t.nose_y - 0.06F}, corner, -0.045F, 0.05F}, 0.05F * fold);
    groove({{t.mouth_width + 0.05F, t.mouth_y + 0.03F},
            {t.mouth_width + 0.12F, t.mouth_y + 0.32F},
            -0.02F,
            0.04F},
           0.04F * t.jowls);
    groove({{0.055F, t.brow_y + 0.06F}, {0.05F, t.brow_y - 0.12F}, 0.0F, 0.02F},
           0.022F * clamp01(1.4F * t.forehead_lines - 0.2F));
    // Bags: a pad under the eye and the groove below it.
    const Stroke below{
        {t.eye_x - 0.8F * t.eye_width, 0.11F}, {t.eye_x + t.eye_width, 0.13F}, -0.10F, 0.035F};
    c.raise(on_side(side, Blob{{t.eye_x, 0.155F}, 0.2F, 0.07F}), 0.030F * t.eye_bags);
    groove(below, 0.012F + 0.035F * t.eye_bags);
    for (int i = 0; i < 4; ++i) {
      const float x = 0.05F + 0.075F * static_cast<float>(i);
      groove({{x, t.mouth_y - 0.14F}, {x * 0.95F, t.mouth_y - 0.03F}, 0, 0.014F},
             0.014F * t.lip_lines);
    }
  }
}

void colour_skin(Canvas& c, const Traits& t) {
  const float pores = 0.008F * t.pores, mottling = 0.05F + 0.13F * t.mottling;
  c.each_feature(head_box(t), [&](Index i, Point p) {
    if (c.depth[at(i)] < -0.05F) return;
    const float patch = noise(p.x * 5 + 40, p.y * 5 + 40, t.texture);
    const float fine = noise(p.x * 26 + 90, p.y * 26 + 90, t.texture + 1);
    c.skin[at(i)] = t.skin * (1 + mottling * (0.6F * patch + 0.4F * fine - 0.5F));
    c.relief[at(i)] += pores * fine;
  });
  const Rgb red{1.06F, 0.70F, 0.68F}, dark{0.62F, 0.52F, 0.55F};
  c.tint_skin(Blob{{0, t.nose_y - 0.02F}, 0.26F, 0.22F}, red, 0.55F * t.redness);
  c.tint_skin(Blob{{0, t.chin - 0.2F}, 0.4F, 0.2F}, red, 0.3F * t.redness);
  for (const float side : kSides) {
    c.tint_skin(on_side(side, Blob{{0.56F, 0.32F * t.chin}, 0.42F, 0.32F}), red, 0.8F * t.redness);
    c.tint_skin(on_side(side, Blob{{t.eye_x, 0.10F}, 0.27F, 0.14F}), dark,
                0.12F + 0.4F * t.eye_bags);
    c.tint_skin(on_side(side, Blob{{t.eye_x, -0.09F}, 0.30F, 0.15F}), t.makeup,
                0.75F * t.eye_makeup);
  }
  for (int i = 0; i < 40; ++i) {
    const float x = 2 * hash01(i, 1, t.texture) - 1, y = hash01(i, 2, t.texture);
    const float size = 0.015F + 0.045F * hash01(i, 3, t.texture) * hash01(i, 4, t.texture);
    const float shown = clamp01(t.spots * 2.5F - 3 * hash01(i, 5, t.texture));
    if (shown > 0)
      c.tint_skin(Blob{{0.85F * x, mix(-0.9F * t.crown, 0.9F * t.chin, y)}, size * 1.3F, size},
                  {0.62F, 0.48F, 0.40F}, 0.75F * shown);
    if (t.freckles > 0)
      c.tint_skin(Blob{{0.75F * x, 0.05F + 0.5F * y}, 0.022F, 0.02F}, {0.72F, 0.52F, 0.42F},
                  t.freckles);
  }
}

// Mean over a square window, by running sums along rows and then columns.
std::vector<float> box_blur(const std::vector<float>& x, Index side, Index reach) {
  std::vector<float> rows(x.size()), y(x.size());
  const float share = 1.0F / static_cast<float>(2 * reach + 1);
  for (int pass = 0; pass < 2; ++pass) {
    const std::vector<float>& from = pass == 0 ? x : rows;
    std::vector<float>& to = pass == 0 ? rows : y;
    const Index step = pass == 0 ? 1 : side, line = pass == 0 ? side : 1;
    for (Index k = 0; k < side; ++k) {
      auto value = [&](Index j) {
        return from[at(k * line + std::clamp<Index>(j, 0, side - 1) * step)];
      };
      float sum = 0;
      for (Index j = -reach; j <= reach; ++j) sum += value(j);
      for (Index j = 0; j < side; ++j) {
        to[at(k * line + j * step)] = sum * share;
        sum += value(j + reach + 1) - value(j - reach);
      }
    }
  }
  return y;
}

void shade(Canvas& c, const Traits& t, const Photo& photo) {
  // What lies below its surroundings sees less of the sky.
  const auto reach = static_cast<Index>(std::lround(0.07F * c.unit));
  const std::vector<float> around = box_blur(c.relief, c.side, reach);
  const float shine = 0.10F + 0.10F * hash01(3, 3, t.texture);
  c.each(head_box(t), [&](Index i, Point) {
    const float alpha = c.edge(c.depth[at(i)]);
    const Index row = i / c.side, column = i % c.side;
    if (alpha <= 0 || row == 0 || column == 0 || row == c.side - 1 || column == c.side - 1) return;
    const float nx = (c.relief[at(i - 1)] - c.relief[at(i + 1)]) * c.unit / 2;
    const float ny = (c.relief[at(i - c.side)] - c.relief[at(i + c.side)]) * c.unit / 2;
    const float below = around[at(i)] - c.relief[at(i)];
    const float open = std::clamp(1 - 9 * below, 0.35F, 1.1F);
    // Half way between lamp and viewer: where skin shines.
    const float hx = photo.light_x, hy = photo.light_y, hz = photo.light_z + 1;
    const float aligned = (nx * hx + ny * hy + hz) /
                          std::sqrt((nx * nx + ny * ny + 1) * (hx * hx + hy * hy + hz * hz));
    const float a2 = aligned * aligned, a8 = a2 * a2 * a2 * a2, a32 = a8 * a8 * a8 * a8;
    const float gloss = aligned > 0 ? shine * (0.35F * a8 * a8 + a32) * open : 0.0F;
    const Rgb colour =
        c.skin[at(i)] * c.lit(nx, ny, 1, true) * open + photo.light * (0.35F * gloss);
    c.cover(i, colour, alpha);
  });
}

}  // namespace

void paint_head(Canvas& c, const Traits& t, const Photo& photo) {
  shape_skull(c, t);
  shape_bones(c, t);
  shape_nose(c, t);
  shape_wrinkles(c, t);
  colour_skin(c, t);
  shade(c, t, photo);
}

}  // namespace twinage::synthetic
