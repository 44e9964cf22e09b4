// Eyes, mouth, brows, glasses: painted on the lit head.
#include "train/faces/synthetic/portrait.h"

namespace twinage::synthetic {
namespace {

constexpr float kSides[2] = {-1, 1};

// Where a point lies in one eye: along from the inner (-1) to the outer corner (+1); down in face
// units from the line through the corners.
struct EyePoint {
  float along, down;
};
EyePoint in_eye(const Traits& t, float side, Point p) {
  const float dx = p.x * side - t.eye_x;
  return {(dx + t.eye_tilt * p.y) / t.eye_width, p.y - t.eye_tilt * dx};
}
float upper_lid(const Traits& t, float along) {
  return -0.66F * t.eye_open * (1 - along * along) * (1 - 0.12F * along);
}
float lower_lid(const Traits& t, float along) {
  return 0.40F * t.eye_open * (1 - along * along) * (1 + 0.15F * along);
}

void paint_eyeball(Canvas& c, const Traits& t, const Photo& photo, float side) {
  const Rgb light = c.lit(0, -0.1F, 1);
  const Rgb white = mix(display(0.90F, 0.89F, 0.88F), display(0.84F, 0.78F, 0.70F), t.eye_bags);
  const float gaze = 0.025F * (hash01(5, 5, photo.texture) - 0.5F);
  const Point iris{t.eye_x * side + gaze, -0.16F * t.eye_open};
  const float r = t.iris_radius;
  const Point glint{iris.x + 0.35F * r * (photo.light_x > 0 ? 1.0F : -1.0F), iris.y - 0.38F * r};
  const Box box{t.eye_x * side - 1.05F * t.eye_width, -1.3F * t.eye_open,
                t.eye_x * side + 1.05F * t.eye_width, 1.3F * t.eye_open};
  c.each_feature(box, [&](Index i, Point p) {
    const EyePoint e = in_eye(t, side, p);
    if (std::abs(e.along) >= 1) return;
    const float from_upper = e.down - upper_lid(t, e.along);
    const float alpha = c.edge(std::min(from_upper, lower_lid(t, e.along) - e.down));
    if (alpha <= 0) return;
    const float dx = p.x - iris.x, dy = p.y - iris.y, d = std::sqrt(dx * dx + dy * dy);
    Rgb colour = white * (1 - 0.35F * e.along * e.along);
    // Brighter opposite the lamp's side, as light passes through; a dark rim, grey in old age.
    const float fibres = 0.75F + 0.5F * noise(8 * std::atan2(dy, dx), d * 25, t.texture + 3);
    Rgb coloured = t.iris * (fibres * (0.75F + 0.8F * clamp01(0.5F + 0.6F * dy / r)));
    coloured = coloured * (1 - 0.65F * smoothstep(0.72F * r, r, d) * (1 - 0.6F * t.lid_droop));
    coloured = coloured * (1 - c.edge(0.40F * r - d));
    colour = mix(colour, coloured, c.edge(r - d));
    colour = colour * (0.42F + 0.58F * smoothstep(0, 0.07F, from_upper));  // the lid's shadow
    colour = colour * light;
    const float gx = p.x - glint.x, gy = p.y - glint.y;
    const float shine = c.edge(0.20F * r - std::sqrt(gx * gx + gy * gy));
    c.cover(i, mix(colour, Rgb{1, 1, 1}, 0.9F * shine), alpha);
  });
}

void paint_lids(Canvas& c, const Traits& t, float side) {
  const Rgb lash = mix(t.skin * 0.18F, display(0.05F, 0.04F, 0.05F), 0.4F + 0.6F * t.eye_makeup);
  const float line = 0.011F + 0.013F * t.eye_makeup;
  const float crease_at = (0.050F + 0.02F * t.eye_open) * (1 - 0.75F * t.lid_droop);
  const float x = t.eye_x * side, w = 1.3F * t.eye_width;
  c.each_feature({x - w, -1.1F * t.eye_open - 0.12F, x + w, t.eye_open}, [&](Index i, Point p) {
    const EyePoint e = in_eye(t, side, p);
    const float out = std::abs(e.along);
    // Above the outer corner an old lid hangs over, and a painted line ends in a wing.
    const float reach = 1.06F + 0.16F * t.eye_makeup * (e.along > 0 ? 1.0F : 0.0F);
    if (out < reach) {
      const float s = std::clamp(e.along, -1.0F, 1.0F);
      const float wing = std::max(0.0F, e.along - 1) * 0.12F;
      const float distance = std::abs(e.down - upper_lid(t, s) + wing + 0.3F * line);
      const float width = line * (1 + 0.45F * s) * smoothstep(reach, 0.85F, out);
      c.cover(i, lash, 0.92F * c.edge(width - distance));
      const float lower = std::abs(e.down - lower_lid(t, s) - 0.004F);
      const float rim = smoothstep(1.0F, 0.7F, out) * (0.25F + 0.5F * t.eye_makeup);
      c.cover(i, lash, rim * bell(lower * lower / (0.016F * 0.016F)));
    }
    if (out < 1.2F) {
      const float s = e.along / 1.2F;
      const float crease = upper_lid(t, s * 0.95F) - crease_at * (1 - 0.4F * s * s);
      const float distance = (e.down - crease) / (0.017F + 0.006F * t.lid_droop);
      Rgb& under = c.picture[static_cast<std::size_t>(i)];
      under = under * (1 - 0.45F * bell(distance * distance) * smoothstep(1.2F, 0.8F, out));
    }
  });
}

}  // namespace

void paint_eyes(Canvas& c, const Traits& t, const Photo& photo) {
  for (const float side : kSides) {
    paint_eyeball(c, t, photo, side);
    paint_lids(c, t, side);
  }
}

void paint_mouth(Canvas& c, const Traits& t) {
  const float w = t.mouth_width * (1 + 0.12F * t.smile), gap = 0.09F * t.teeth;
  const Rgb dark = t.skin * Rgb{0.16F, 0.07F, 0.07F};
  const Box box{-1.15F * w, t.mouth_y - 0.2F, 1.15F * w, t.mouth_y + 0.3F};
  c.each_feature(box, [&](Index i, Point p) {
    const float s = p.x / w, s2 = s * s, arch = 1 - s2;
    if (s2 >= 1.2F) return;
    const float bow = bell(s2 / (0.32F * 0.32F));  // the cupid's bow dips in the middle
    const float middle = t.mouth_y - 0.085F * (t.smile - 0.3F) * s2 + 0.012F * bow;
    const float open = gap * std::max(0.0F, arch), d = p.y - middle;
    Rgb& under = c.picture[static_cast<std::size_t>(i)];
    if (arch > 0) {
      const float top = -t.upper_lip * arch * (1.12F - 0.35F * bow) * std::sqrt(arch);
      const float bottom = open + t.lower_lip * arch;
      const float lip = std::min(d - top, bottom - d) / 0.02F;
      // Light falls on the lower lip; the upper one is turned away from it.
      const float turn = d < open ? -0.55F * d / std::min(-1e-3F, top)
                                  : 1.1F * ((d - open) / std::max(1e-3F, t.lower_lip) - 0.35F);
      const Rgb light = c.lit(0.5F * s, d < open ? 0.3F + turn : turn, 1, true);
      const float wrinkled =
          1 + (0.16F + 0.25F * t.lip_lines) * (noise(p.x * 55, p.y * 6, t.texture + 4) - 0.5F);
      c.cover(i, t.lips * light * wrinkled, 0.9F * clamp01(lip + 0.5F));
      const float gloss = bell(
          (s2 + 4 * (d - open - 0.45F * t.lower_lip) * (d - open - 0.45F * t.lower_lip) / 0.003F) *
          4);
      under = under + Rgb{1, 1, 1} * (0.05F + 0.15F * t.lipstick) * gloss;
      if (open > 0) {
        const float tooth = 0.8F + 0.2F * std::abs(std::cos(p.x * 26));
        const Rgb teeth =
            display(0.93F, 0.91F, 0.85F) * c.lit(s, -0.1F, 1) * (tooth * 0.85F) * (1 - 0.8F * s2);
        const bool below = d > 0.75F * open;
        c.cover(i, below ? dark : teeth, c.edge(std::min(d, open - d)));
      }
    }
    const float ends = smoothstep(1.2F, 0.9F, s2);
    for (const float line : {middle, middle + open}) {
      const float q = (p.y - line) / (0.012F + 0.004F * s2);
      under = mix(under, dark, 0.75F * bell(q * q) * ends);
    }
    const float cx = (std::abs(s) - 1.03F) / 0.13F, cy = (p.y - middle) / 0.05F;
    under = under * (1 - 0.35F * bell(cx * cx + cy * cy));
  });
}

void paint_brows(Canvas& c, const Traits& t) {
  const Rgb own = mix(t.hair * 0.7F, t.skin * 0.25F, 0.35F);
  const Rgb light = c.lit(0, -0.2F, 1);
  for (const float side : kSides) {
    const float x0 = 0.15F, x1 = 0.74F + 0.02F * t.brow_ridge;
    const Box box = side > 0 ? Box{x0, t.brow_y - 0.2F, x1, t.brow_y + 0.15F}
                             : Box{-x1, t.brow_y - 0.2F, -x0, t.brow_y + 0.15F};
    c.each_feature(box, [&](Index i, Point p) {
      const float x = p.x * side, s = (x - x0) / (x1 - x0);  // 0 inner end, 1 outer end
      if (s <= 0 || s >= 1) return;
      const float u = s - 0.62F;
      const float line = t.brow_y + t.brow_arch * (5.2F * u * u - 1) +
                         0.035F * t.lid_droop * smoothstep(0.5F, 1, s);
      const float thick = t.brow_thickness * (1 - 0.6F * smoothstep(0.45F, 1, s));
      const float distance = (p.y - line) / thick;
      const float hairs = noise((x - 0.55F * p.y) * 44, p.y * 12, t.texture + 5);
      const float body =
          bell(distance * distance / 2.1F) * smoothstep(0, 0.12F, s) * smoothstep(1, 0.85F, s);
      const Rgb colour =
          mix(own, display(0.70F, 0.69F, 0.68F), smoothstep(0, 0.4F, t.brow_grey - 0.6F * hairs));
      c.cover(i, colour * light * (0.6F + 0.6F * hairs), clamp01(body * (0.65F + 0.75F * hairs)));
    });
  }
}

void paint_glasses(Canvas& c, const Traits& t) {
  if (t.glasses <= 0) return;
  const float rx = 0.30F + 0.05F * hash01(1, 9, t.texture),
              ry = 0.19F + 0.08F * hash01(2, 9, t.texture);
  const float width = 0.012F + 0.03F * hash01(3, 9, t.texture), round = hash01(4, 9, t.texture);
  const Rgb colour = t.frame * c.lit(0, -0.4F, 1);
  const Box box{-t.head_width * 1.05F, -0.35F, t.head_width * 1.05F, 0.45F};
  c.each_feature(box, [&](Index i, Point p) {
    const float x = std::abs(p.x), dx = std::abs(x - t.eye_x - 0.01F) / rx;
    const float dy = std::abs(p.y - 0.03F) / ry;
    const float circle = std::sqrt(dx * dx + dy * dy);
    const float square = std::sqrt(std::sqrt(dx * dx * dx * dx + dy * dy * dy * dy));
    const float d = (mix(square, circle, round) - 1) * ry;
    float frame = c.edge(width - std::abs(d));
    const float bridge = std::abs(p.y + 0.03F - 0.12F * (x * x));
    if (x < t.eye_x - rx + 0.02F) frame = std::max(frame, c.edge(width - bridge));
    if (x > t.eye_x + rx) frame = std::max(frame, c.edge(width - std::abs(p.y + 0.06F)));
    const float streak = noise((p.x + p.y) * 6, 3, t.texture + 6);
    if (d < 0) c.cover(i, Rgb{1, 1, 1}, 0.05F + 0.14F * smoothstep(0.65F, 0.8F, streak));
    const float shadow = std::max(0.0F, 1 - std::abs(d - width) / 0.05F) * 0.2F;
    Rgb& under = c.picture[static_cast<std::size_t>(i)];
    under = mix(under * (1 - shadow), colour, frame);
  });
}

}  // namespace twinage::synthetic
