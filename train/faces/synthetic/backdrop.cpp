// What is behind and below the face: background, body, ears.
#include "train/faces/synthetic/portrait.h"

namespace twinage::synthetic {

void paint_background(Canvas& c, const Photo& photo) {
  auto random = [&](int i, int j) { return hash01(i, j, photo.texture); };
  const auto side = static_cast<float>(c.side);
  struct Lamp {
    float x, y, r;
    Rgb colour;
  } lamps[8];
  const int lamp_count = std::min(photo.background_blobs, 8);
  for (int k = 0; k < lamp_count; ++k) {
    const float tone = 0.4F + 1.5F * random(k, 3);
    lamps[k] = {
        random(k, 0), random(k, 1), 0.05F + 0.22F * random(k, 2),
        mix(photo.background_top, photo.background_bottom, random(k, 4)) *
            Rgb{tone * (0.8F + 0.4F * random(k, 5)), tone, tone * (0.8F + 0.4F * random(k, 6))}};
  }
  const float slant = random(20, 0) - 0.5F, shift = random(20, 1);
  const float bands = 3.14159F * static_cast<float>(photo.background_bands);
  for (Index row = 0; row < c.side; ++row)
    for (Index column = 0; column < c.side; ++column) {
      const float x = static_cast<float>(column) / side, y = static_cast<float>(row) / side;
      Rgb colour =
          mix(photo.background_top, photo.background_bottom, clamp01(y + slant * (x - 0.5F)));
      if (bands > 0) {  // shelves, window frames, planks
        const float wave =
            std::abs(noise(bands * (x + 0.2F * slant * y) + 9 * shift, 0.5F, 11) - 0.5F);
        colour = colour * (0.7F + 0.9F * smoothstep(0.1F, 0.16F, wave));
      }
      for (int k = 0; k < lamp_count; ++k) {
        const float dx = x - lamps[k].x, dy = y - lamps[k].y;
        const float d2 = (dx * dx + dy * dy) / (lamps[k].r * lamps[k].r);
        if (d2 < 1.2F) colour = mix(colour, lamps[k].colour, 0.6F * smoothstep(1.2F, 0.75F, d2));
      }
      c.picture[static_cast<std::size_t>(row * c.side + column)] = colour;
    }
}

void paint_body(Canvas& c, const Traits& t) {
  const float neck = t.neck_width, base = t.chin + 0.30F;
  const float shirt_collar = t.collar > 0.6F ? 1.0F : 0.0F;
  const float opening = 0.12F + 0.35F * t.collar;
  c.each({-4, 0.3F, 4, 4}, [&](Index i, Point p) {
    const float x = std::abs(p.x);
    // The neck: a cylinder in the shadow of the chin.
    const float flare = std::max(0.0F, p.y - t.chin);
    const float width = neck + 0.35F * flare * flare;
    if (x < width + 0.05F) {
      const float u = std::min(0.98F, x / width), nx = (p.x < 0 ? -u : u);
      const float shadow = 0.38F + 0.62F * smoothstep(0.05F, 0.6F, p.y - t.chin + 0.25F * x);
      const float cord = 1 - 0.12F * t.jowls * bell((x - 0.16F) * (x - 0.16F) / 0.005F);
      const Rgb light = c.lit(nx, 0.15F, std::sqrt(1 - u * u), true);
      c.cover(i, t.skin * light * (shadow * cord), c.edge(width - x));
    }
    const float slope =
        0.16F * x + 0.5F * smoothstep(0.55F, 1.15F, x / t.shoulder_width) * (x / t.shoulder_width);
    const float neckline = opening * std::max(0.0F, 1 - x / (neck + 0.08F));
    const float top =
        base + slope - 0.13F * bell((x / (neck + 0.3F)) * (x / (neck + 0.3F))) + neckline;
    if (p.y > top - 0.05F) {
      const float folds = noise(p.x * 4, p.y * 1.3F, t.texture + 7) - 0.5F;
      const float fine = noise(p.x * 40, p.y * 40, t.texture + 8) - 0.5F;
      const float u = clamp01(x / t.shoulder_width);
      Rgb cloth = t.clothes * c.lit(0.6F * (p.x < 0 ? -u : u) + 0.7F * folds, -0.45F + 0.5F * u, 1);
      const float hem = smoothstep(0.10F, 0.085F, p.y - top);
      cloth = cloth * (1 + 0.12F * fine) * (1 + hem * (shirt_collar > 0 ? 0.5F : -0.22F));
      c.cover(i, cloth, c.edge(p.y - top));
    }
  });
}

void paint_ears(Canvas& c, const Traits& t) {
  for (const float side : {-1.0F, 1.0F}) {
    const Point centre{side * (t.head_width * 1.0F + 0.01F), 0.20F};
    const float rx = 0.13F * t.ear_size, ry = 0.30F * t.ear_size;
    c.each({centre.x - 0.3F, centre.y - 0.5F, centre.x + 0.3F, centre.y + 0.6F}, [&](Index i,
                                                                                     Point p) {
      const float u = (p.x - centre.x - 0.1F * side * (centre.y - p.y)) * side / rx;
      const float v = (p.y - centre.y) / ry;
      const float width = 1 - 0.35F * smoothstep(0, 1, v);
      const float r = std::sqrt(u * u / (width * width) + v * v);
      if (r > 1.3F) return;
      const float shell = bell((r - 0.55F) * (r - 0.55F) / 0.09F);  // the groove inside the rim
      const Rgb light = c.lit(side * (0.35F + 0.5F * u), 0.3F * v, 0.8F, true);
      const Rgb colour = t.skin * Rgb{1.02F, 0.82F, 0.80F} * light * (1 - 0.42F * shell);
      c.cover(i, colour, c.edge((1 - r) * rx));
      if (t.earrings > 0) {
        const float dx = p.x - centre.x + 0.03F * side, dy = p.y - centre.y - ry - 0.02F;
        c.cover(i, display(0.95F, 0.85F, 0.6F), c.edge(0.04F - std::sqrt(dx * dx + dy * dy)));
      }
    });
  }
}

}  // namespace twinage::synthetic
