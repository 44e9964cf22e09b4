// Hair: behind the head, on it, and the beard. Strands are noise stretched along their direction.
#include "train/faces/synthetic/portrait.h"

namespace twinage::synthetic {
namespace {

struct Strands {
  float fine, broad;  // in [0, 1], for shading
};
// `across` and `along` the strands, in face units.
Strands strands(const Traits& t, float across, float along, std::uint32_t layer) {
  const float bend = t.wave * 0.2F * (noise(across * 3, along * 3, t.texture) - 0.5F);
  return {noise((across + bend) * 50, along * 3, t.texture + layer),
          noise((across + bend) * 17, along * 1.6F, t.texture + layer + 1)};
}

// Salt and pepper: each strand is grey or not, more of them as `grey` grows.
Rgb hair_colour(Rgb own, float grey, Strands s) {
  const float white =
      smoothstep(-0.35F, 0.35F, grey * 1.5F - 0.3F - 0.65F * s.fine - 0.25F * s.broad);
  return mix(own, display(0.80F, 0.79F, 0.78F), white) * (0.5F + 0.45F * s.fine + 0.4F * s.broad);
}

// Outline of the hair on top of the head: 1 on it.
float cap_radius(const Traits& t, Point p, float extra) {
  const float x = p.x / (t.head_width + 0.6F * t.volume + extra);
  const float y = p.y < 0 ? p.y / (t.crown + t.volume + extra) : p.y / (t.chin * 1.2F);
  const float round = x * x + y * y, square = std::sqrt(x * x * x * x + y * y * y * y);
  return std::sqrt(mix(round, square, 0.3F));
}

// Height of the hairline at x: an arch over the forehead that comes down at the temples.
float hairline(const Traits& t, float x) {
  const float u = std::abs(x) / t.head_width, part = x / t.head_width - t.parting;
  const float corner = (u - 0.52F) / 0.3F;
  float y = -t.hairline * mix(1.0F, t.crown / 1.42F, 0.8F);
  y -= 0.30F * t.recession * bell(corner * corner);                  // receding corners
  y -= (t.crown + y) * 0.9F * smoothstep(0.55F, 1.0F, t.recession);  // then all of it
  y += 0.75F * smoothstep(0.62F, 0.98F, u);                          // temples, sideburns
  y += t.fringe * 0.42F * (1 - 0.25F * std::abs(part));
  return y + 0.08F * (t.fringe > 0 ? 1.0F : 0.6F) * std::abs(part) * (1 - t.recession);
}

}  // namespace

void paint_back_hair(Canvas& c, const Traits& t) {
  if (t.hair_length < 0.5F) return;
  const float bottom = mix(0.3F, 2.3F, t.hair_length);
  const float top_width = t.head_width + 0.04F + 0.6F * t.volume;
  c.each({-2, -0.6F, 2, bottom + 0.3F}, [&](Index i, Point p) {
    if (head_radius(t, p) < 0.9F) return;  // the head will hide it
    const float down = clamp01((p.y + 0.3F) / (bottom + 0.3F));
    const float wavy = 0.05F * t.wave * std::sin(p.y * 8 + (p.x < 0 ? 1.5F : 0.0F));
    const float width = top_width + (0.10F + 0.25F * t.wave) * down * (1.2F - down) + wavy;
    const float ragged = 0.25F * noise(p.x * 7, 2, t.texture + 9);
    float inside = std::min(width - std::abs(p.x), bottom - ragged - p.y);
    if (p.y < 0) inside = std::min(inside, (1 - cap_radius(t, p, 0.02F)) * width);
    const float alpha = c.edge(inside);
    if (alpha <= 0) return;
    const Strands s = strands(t, p.x, p.y, 20);
    const float u = p.x / width;
    c.cover(i, hair_colour(t.hair, t.grey, s) * c.lit(0.8F * u, 0.1F, 0.7F) * 0.6F, alpha);
  });
}

namespace {

// How far a point lies inside the hair that frames the face, in face units: the cap above the
// hairline, or what hangs at the sides. `ragged` moves the ends of single strands.
float inside_hair(const Traits& t, Point p, Point f, float depth, float bottom, float ragged) {
  const float cap = (1 - cap_radius(t, p, 0.6F * ragged)) * t.head_width;
  float above = -1;
  if (p.y < 0.3F) above = std::min(cap, hairline(t, f.x) - f.y + ragged * (1 + 2 * t.fringe));
  if (t.hair_length >= 0.5F && p.y > -0.9F) {  // curtains beside the face
    const float down = clamp01((p.y + 0.9F) / (bottom + 0.9F));
    const float inner =
        t.head_width * (0.80F + 0.14F * smoothstep(-0.6F, 0.4F, p.y)) - 0.08F * t.volume;
    const float outer = t.head_width + 0.6F * t.volume + (0.12F + 0.15F * t.wave) * down +
                        0.05F * t.wave * std::sin(p.y * 8 + (p.x < 0 ? 1.5F : 0.0F));
    float sides =
        std::min({std::abs(f.x) - inner, outer - std::abs(p.x), bottom - p.y}) + 2 * ragged;
    if (p.y < 0) sides = std::min(sides, cap);
    return std::max(above, sides);
  }
  if (t.hair_length < 0.5F && p.y > -0.7F && p.y < bottom) {  // short sides in front of the ears
    const float u = std::abs(p.x) / t.head_width, low = smoothstep(-0.3F, bottom, p.y);
    const float outer = depth + (0.02F + 0.5F * t.volume) * (1 - low);
    return std::max(above, std::min(u - 0.89F - 0.07F * low, outer) + ragged);
  }
  return above;
}

}  // namespace

void paint_hair(Canvas& c, const Traits& t) {
  const bool is_long = t.hair_length >= 0.5F;
  const float bottom = is_long ? mix(0.3F, 2.3F, t.hair_length) : 0.1F + 0.4F * t.hair_length;
  const float reach = t.head_width + t.volume + 0.35F;
  const Point root{t.parting * t.head_width, -t.crown - 0.1F};
  const float density = 1 - 0.85F * t.thinning;
  const float softness = mix(0.015F, 0.09F, clamp01(t.thinning + 0.25F));
  const Box box{-reach, -t.crown - t.volume - 0.1F, reach, bottom + 0.2F};
  c.each(box, [&](Index i, Point p) {
    const Point f = c.feature(p);
    const float depth = c.depth[static_cast<std::size_t>(i)];
    if (inside_hair(t, p, f, depth, bottom, 0) < -0.15F) return;  // out of reach of any strand
    // Strands run from the crown outwards, then hang.
    const float dx = p.x - root.x, dy = p.y - root.y;
    const float angle = 1.57F * dx / (std::abs(dx) + std::max(0.02F, dy + 0.35F));  // nearly
    const float hang = smoothstep(-0.3F, 0.5F, p.y);
    const float across = mix(angle * 1.1F, p.x + (p.x < 0 ? -0.35F : 0.35F), hang);
    const float along = std::sqrt(dx * dx + dy * dy);
    const Strands s = strands(t, across, along, 30);
    const float ragged = 0.05F * (s.fine - 0.5F) + 0.05F * (s.broad - 0.5F);
    const float body = inside_hair(t, p, f, depth, bottom, ragged);
    if (body < -0.1F) return;
    // Thin hair lets the scalp through between the strands, on top first.
    const float top = smoothstep(0.1F, -0.7F, p.y);
    const float strand = smoothstep(0.1F, 0.5F, density * 1.2F - 0.6F * s.fine);
    const float alpha = clamp01(body / softness + 0.3F) * mix(1.0F, strand, top * t.thinning) *
                        clamp01(0.4F + density);
    if (alpha <= 0) return;
    const float nx = p.x / reach, ny = p.y / (t.crown + t.volume);
    const float nz = std::sqrt(std::max(0.05F, 1 - nx * nx - std::min(ny * ny, 0.9F)));
    // A band of shine across the strands, and the dark where hair meets the face.
    const float band = (along - 0.62F - 0.1F * s.broad) / 0.22F;
    const float shine = bell(band * band) * (0.25F + 0.75F * s.fine) * 0.9F;
    const float shadow = 0.7F + 0.3F * smoothstep(0, 0.2F, body);
    c.cover(
        i,
        hair_colour(t.hair, t.grey, s) * c.lit(nx, std::min(ny, 0.0F), nz) * (shadow * (1 + shine)),
        alpha);
  });
}

void paint_beard(Canvas& c, const Traits& t) {
  if (t.stubble <= 0 && t.beard <= 0 && t.moustache <= 0) return;
  const Rgb own = t.hair * 0.8F;
  c.each({-1.2F, 0.2F, 1.2F, t.chin + 0.2F}, [&](Index i, Point p) {
    const Point f = c.feature(p);
    const float x = std::abs(f.x) / t.head_width, depth = c.depth[static_cast<std::size_t>(i)];
    const float rough = 0.06F * (noise(f.x * 40, f.y * 12, t.texture + 40) - 0.5F);
    // Below a line from the sideburns to the mouth; bare around the lips.
    const float cheek_line = mix(t.mouth_y + 0.08F, 0.35F, smoothstep(0.25F, 0.95F, x));
    float area = smoothstep(-0.12F, 0.12F, f.y - cheek_line + rough) * smoothstep(-0.08F, 0, depth);
    const float mx = f.x / (t.mouth_width * 1.22F), my = (f.y - t.mouth_y - 0.03F) / 0.14F;
    const float lips = smoothstep(1.25F, 0.75F, mx * mx + my * my);
    const float ux = f.x / (t.mouth_width * 1.12F);
    const float lip_top = t.mouth_y - 0.10F + 0.04F * ux * ux;
    const float upper =
        bell((f.y - lip_top) * (f.y - lip_top) / 0.008F) * smoothstep(1.15F, 0.8F, ux * ux);
    area = std::max(area * (1 - lips), 0.0F);
    const float hairs = noise(f.x * 42 + 4 * f.y, f.y * 11, t.texture + 41);
    const float broad = noise(f.x * 12, f.y * 5, t.texture + 42);
    const Rgb colour = hair_colour(own, t.beard_grey, {hairs, broad});
    const Rgb light = c.lit(0.9F * f.x / t.head_width, 0.25F, 0.8F);
    const float hair = std::max(t.beard * area, t.moustache * upper);
    const float shade = std::max(area, 0.8F * upper) * t.stubble * (0.25F + 0.5F * hairs);
    Rgb& under = c.picture[static_cast<std::size_t>(i)];
    const Rgb tone = mix(Rgb{0.45F, 0.46F, 0.50F}, Rgb{0.9F, 0.9F, 0.9F}, 0.8F * t.beard_grey);
    under = mix(under, under * tone, shade);
    c.cover(i, colour * light, clamp01(hair * (0.75F + 0.5F * hairs)));
  });
}

}  // namespace twinage::synthetic
