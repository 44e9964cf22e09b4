#include "train/faces/synthetic/traits.h"

namespace twinage::synthetic {
namespace {

float normal(Random& random) {  // tails cut, so that nobody turns out a monster
  return std::clamp(static_cast<float>(random.normal()), -2.2F, 2.2F);
}
float uniform(Random& random, float low, float high) {
  return static_cast<float>(random.uniform(low, high));
}
float uniform(Random& random) {
  return static_cast<float>(random.uniform());
}

// Display values base + span·U for each channel. (Draws stand in statements of their own
// throughout: the order in which arguments are evaluated is the compiler's choice.)
Rgb draw_colour(Random& random, Rgb base, Rgb span) {
  const float r = uniform(random), g = uniform(random), b = uniform(random);
  return display(clamp01(base.r + span.r * r), clamp01(base.g + span.g * g),
                 clamp01(base.b + span.b * b));
}

// The ages of one person's cues.
class Ageing {
 public:
  Ageing(float age, Random& identity)
      : identity_(identity), age_(age), person_(age + normal(identity) * (0.4F + 0.07F * age)) {}
  // Strength of a cue that starts and is complete at about these ages.
  float cue(float start, float end) {
    const float age = person_ + normal(identity_) * (0.5F + 0.11F * age_);
    return clamp01((age - start) / (end - start));
  }

 private:
  Random& identity_;
  float age_, person_;
};

Rgb draw_skin_tone(Random& identity) {
  static constexpr float kTones[5][3] = {{0.95F, 0.80F, 0.72F},
                                         {0.89F, 0.72F, 0.60F},
                                         {0.77F, 0.57F, 0.44F},
                                         {0.60F, 0.42F, 0.31F},
                                         {0.42F, 0.29F, 0.22F}};
  const float u = uniform(identity);
  const float at = std::min(3.999F, 4 * u * (0.55F + 0.45F * u));  // more light than dark skin
  const int i = static_cast<int>(at);
  const float s = at - static_cast<float>(i);
  return display(mix(kTones[i][0], kTones[i + 1][0], s), mix(kTones[i][1], kTones[i + 1][1], s),
                 mix(kTones[i][2], kTones[i + 1][2], s));
}

// What both genders and all ages have to themselves.
struct Build {
  float growth;   // 0 newborn, 1 grown up
  float puberty;  // 0 child, 1 adult
  float male;     // about +1 male, -1 female; individuals overlap, children hardly differ
  float old;      // slow changes of bone and cartilage
  Rgb skin;       // at birth
  float fair;     // lightness of it
};

Build draw_build(float age, int gender, Ageing& ageing, Random& identity) {
  const float pace = 1 + 0.1F * normal(identity);  // early and late developers
  const float rest = 1 - clamp01(age * pace / 20);
  Build b{};
  b.growth = 1 - rest * std::sqrt(rest) * (0.6F + 0.4F * rest);
  b.puberty = smoothstep(10.5F, 19, age * pace);
  b.male = ((gender == 0 ? 0.8F : -0.8F) + 0.5F * normal(identity)) * (0.15F + 0.85F * b.puberty);
  b.old = ageing.cue(35, 90);
  b.skin = draw_skin_tone(identity);
  b.fair = smoothstep(0.1F, 0.5F, b.skin.g);
  return b;
}

void draw_head(Traits& t, const Build& b, Ageing& ageing, Random& identity) {
  auto n = [&] { return normal(identity); };
  t.jowls = ageing.cue(38, 85);
  t.hollows = ageing.cue(45, 95);
  t.hollows = clamp01(t.hollows + 0.12F * n());
  t.head_width = 1.04F + 0.04F * n();
  t.crown = mix(1.60F, 1.42F, b.growth) + 0.045F * n();
  t.chin = mix(1.10F, 1.46F, b.growth) + 0.05F * n() + 0.05F * b.male;
  t.jaw_square = clamp01(0.28F + 0.20F * b.male + 0.12F * n() + 0.12F * t.jowls);
  t.jaw_taper = std::clamp(
      mix(0.24F, 0.36F, b.growth) - 0.05F * b.male + 0.045F * n() - 0.09F * t.jowls, 0.08F, 0.5F);
  t.cheeks = clamp01(mix(1.0F, 0.25F, b.growth) + 0.13F * n() - 0.25F * t.hollows);
  t.brow_ridge = clamp01(0.35F + 0.35F * b.male + 0.15F * n()) * b.growth;
  t.ear_size = mix(0.85F, 1.0F, b.growth) + 0.22F * b.old + 0.07F * n();
  t.neck_width = mix(0.46F, 0.60F, b.growth) + 0.08F * b.male + 0.03F * n();
  t.shoulder_width = mix(1.25F, 1.95F, b.growth) + 0.25F * b.male + 0.12F * n();
}

void draw_features(Traits& t, const Build& b, Ageing& ageing, Random& identity) {
  auto n = [&] { return normal(identity); };
  t.lid_droop = ageing.cue(35, 85);
  t.eye_x = t.head_width * (0.435F + 0.016F * n());
  t.eye_width = mix(0.255F, 0.21F, b.growth) + 0.011F * n() - 0.008F * b.male;
  t.eye_open =
      mix(0.20F, 0.145F, b.growth) * (1 + 0.10F * n() - 0.07F * b.male) * (1 - 0.28F * t.lid_droop);
  t.eye_tilt = -0.06F + 0.07F * n() + 0.09F * t.lid_droop;
  t.iris_radius = mix(0.112F, 0.087F, b.growth) + 0.002F * n();
  t.brow_y = -mix(0.31F, 0.295F, b.growth) + 0.035F * b.male + 0.025F * n() + 0.03F * t.lid_droop;
  t.brow_thickness =
      mix(0.026F, 0.042F, b.growth) + 0.013F * b.male + 0.009F * n() - 0.008F * b.old;
  t.brow_thickness = std::max(0.018F, t.brow_thickness);
  t.brow_arch = std::max(0.0F, 0.065F - 0.02F * b.male + 0.018F * n());
  t.nose_y = mix(0.42F, 0.60F, b.growth) + 0.03F * n() + 0.05F * b.old;
  t.nose_width = mix(0.165F, 0.205F, b.growth) + 0.022F * n() + 0.014F * b.male + 0.02F * b.old;
  t.nose_relief = mix(0.55F, 1.0F, b.growth) + 0.13F * n() + 0.1F * b.male;
  t.mouth_y = t.nose_y + (t.chin - t.nose_y) * (0.375F + 0.015F * n());
  t.mouth_width = mix(0.245F, 0.36F, b.growth) + 0.025F * n() + 0.012F * b.male;
  const float thin = ageing.cue(35, 90);
  const float fullness = std::max(0.25F, (1 + 0.2F * n() - 0.14F * b.male) * (1 - 0.5F * thin));
  t.upper_lip = 0.062F * fullness * mix(0.85F, 1.0F, b.growth);
  t.lower_lip = 0.088F * fullness * mix(0.85F, 1.0F, b.growth);
  t.smile = clamp01(0.45F + 0.3F * n());
  t.teeth = uniform(identity) < 0.3F ? t.smile : 0.0F;
}

void draw_skin(Traits& t, const Build& b, Ageing& ageing, Random& identity) {
  auto n = [&] { return normal(identity); };
  t.skin = b.skin * (1 - 0.08F * b.old) * (1 - 0.05F * b.male);
  t.redness = clamp01(0.4F + 0.15F * n() + 0.25F * (1 - b.growth));
  t.mottling = ageing.cue(25, 90);
  t.mottling = clamp01(0.1F + 0.7F * t.mottling + 0.1F * n());
  t.spots = ageing.cue(40, 95) * (0.4F + 0.6F * b.fair);
  t.freckles = uniform(identity) < 0.15F ? b.fair * (0.4F + 0.4F * b.growth) : 0.0F;
  t.pores = clamp01(0.08F + 0.3F * b.puberty + 0.6F * ageing.cue(30, 90) + 0.1F * b.male);
  t.forehead_lines = ageing.cue(27, 80);
  t.crows_feet = ageing.cue(28, 80);
  t.nasolabial = ageing.cue(15, 80);
  t.eye_bags = ageing.cue(22, 80);
  t.eye_bags = clamp01(t.eye_bags + 0.1F * n());
  t.lip_lines = ageing.cue(45, 90);
  const float rosy = clamp01(0.5F - 0.25F * b.male + 0.2F * n()) * (1 - 0.4F * b.old);
  t.lips = t.skin * mix(Rgb{0.80F, 0.52F, 0.52F}, Rgb{0.82F, 0.36F, 0.38F}, rosy);
}

void draw_hair_colour(Traits& t, float age, int gender, const Build& b, Ageing& ageing,
                      Random& identity) {
  static constexpr float kHairs[6][3] = {{0.10F, 0.08F, 0.08F}, {0.17F, 0.12F, 0.10F},
                                         {0.29F, 0.19F, 0.13F}, {0.42F, 0.29F, 0.19F},
                                         {0.70F, 0.55F, 0.35F}, {0.50F, 0.24F, 0.13F}};
  const bool fair = b.fair > 0.75F;
  const float u = uniform(identity), v = uniform(identity);
  const auto* c = kHairs[static_cast<int>(fair ? u * 5.999F : u * 2.3F)];
  // Fair children darken until they are grown up.
  t.hair = display(c[0], c[1], c[2]) * (0.8F + 0.4F * v) * (1.35F - 0.35F * clamp01(age / 16));
  static constexpr float kEyes[4][3] = {
      {0.25F, 0.15F, 0.09F}, {0.42F, 0.28F, 0.15F}, {0.36F, 0.44F, 0.27F}, {0.38F, 0.54F, 0.68F}};
  const auto* e = kEyes[static_cast<int>(uniform(identity) * (fair ? 3.999F : 1.5F))];
  t.iris = display(e[0], e[1], e[2]);

  const float onset = 41 + 8 * normal(identity);  // years
  t.grey = ageing.cue(onset, onset + 33);
  t.beard_grey = ageing.cue(onset - 4, onset + 24);
  t.brow_grey = 0.8F * ageing.cue(onset + 12, onset + 45);
  const bool dyed = uniform(identity) < (gender == 1 ? 0.45F : 0.08F);
  if (dyed) t.grey *= 0.15F;
}

void draw_hair(Traits& t, float age, int gender, const Build& b, Ageing& ageing, Random& identity) {
  auto n = [&] { return normal(identity); };
  const float style = uniform(identity), fate = uniform(identity);
  const bool female = gender == 1;
  const float long_share = female ? 0.72F - 0.35F * b.old : 0.09F;
  const float infant = smoothstep(3.5F, 0.5F, age);
  const float shorter = uniform(identity, 0.0F, 0.45F), longer = uniform(identity, 0.55F, 1.0F);
  t.hair_length = (style < long_share ? longer : shorter) * (1 - 0.75F * infant);
  const float pattern = ageing.cue(20, 72);  // male pattern baldness, as this man is fated to it
  t.recession = clamp01(pattern * (female ? 0.25F * fate : 0.25F + 1.05F * fate) + 0.05F * n());
  if (!female) t.hair_length = std::min(t.hair_length, 1.3F - 1.2F * t.recession);
  const float bald_crown = female ? 0.0F : smoothstep(0.55F, 0.95F, fate) * pattern;
  t.thinning = clamp01(0.75F * infant + bald_crown + 0.4F * ageing.cue(50, 100));
  t.hairline = mix(0.90F, 0.82F, b.growth) + 0.05F * n();
  const float fringe = uniform(identity), fringe_length = uniform(identity, 0.4F, 1.0F);
  t.fringe = fringe < (female ? 0.3F : 0.16F) * (1 - t.thinning) ? fringe_length : 0.0F;
  t.volume = 0.07F + 0.10F * uniform(identity) * (1 - 0.7F * t.thinning) +
             (female ? 0.04F : 0.0F) * b.puberty;
  t.wave = uniform(identity);
  t.parting = n() * 0.3F;

  const float facial = uniform(identity), kind = uniform(identity), dark = uniform(identity);
  const float can_grow = female ? 0.0F : smoothstep(14.5F, 22, age);
  t.stubble = can_grow * (0.15F + 0.6F * dark);
  const bool grown = facial < 0.38F;
  t.beard = grown && kind < 0.55F ? can_grow : 0.0F;
  t.moustache = grown && (kind < 0.55F || kind > 0.7F) ? can_grow : 0.0F;
}

void draw_accessories(Traits& t, float age, int gender, const Build& b, Random& identity) {
  auto u = [&] { return uniform(identity); };
  const bool female = gender == 1;
  const bool made_up = u() < (female ? 0.6F : 0.02F) && age > 14;
  const float eyes = u(), lips = u();
  t.eye_makeup = made_up ? 0.3F + 0.7F * eyes : 0.0F;
  t.lipstick = made_up ? lips : 0.0F;
  t.makeup = draw_colour(identity, {0.35F, 0.2F, 0.25F}, {0.3F, 0.2F, 0.3F});
  const Rgb lipstick = draw_colour(identity, {0.62F, 0.18F, 0.25F}, {0.2F, 0.18F, 0.15F});
  t.lips = mix(t.lips, lipstick * (0.4F + 0.8F * t.skin.g), 0.75F * t.lipstick);
  t.glasses = u() < 0.03F * b.growth + 0.09F * b.puberty + 0.3F * b.old ? 1.0F : 0.0F;
  t.frame = u() < 0.6F ? display(0.12F, 0.11F, 0.12F) : display(0.5F, 0.38F, 0.25F);
  t.earrings = u() < (female ? 0.4F * b.puberty + 0.04F : 0.02F) ? 1.0F : 0.0F;
  const float grey = 0.6F * u(), tint = female ? 0.38F : 0.28F;
  t.clothes =
      draw_colour(identity, Rgb{0.02F, -0.02F, 0.0F} + Rgb{1, 1, 1} * grey, Rgb{tint, tint, tint});
  t.collar = u();
}

}  // namespace

Traits draw_traits(float age, int gender, Random& identity) {
  Traits t{};
  t.texture = identity.bits();
  Ageing ageing(age, identity);
  const Build build = draw_build(age, gender, ageing, identity);
  draw_head(t, build, ageing, identity);
  draw_features(t, build, ageing, identity);
  draw_skin(t, build, ageing, identity);
  draw_hair_colour(t, age, gender, build, ageing, identity);
  draw_hair(t, age, gender, build, ageing, identity);
  draw_accessories(t, age, gender, build, identity);
  return t;
}

Photo draw_photo(Random& random) {
  auto u = [&] { return uniform(random); };
  auto n = [&] { return normal(random); };
  Photo p{};
  p.roll = 0.06F * n();
  p.yaw = 0.13F * n();
  p.pitch = 0.05F * n();
  p.shift_x = 0.012F * n();
  p.shift_y = 0.015F * n();
  p.zoom = 1 + 0.05F * n();
  const float around = 0.55F * n(), above = uniform(random, 0.15F, 0.9F);  // radians
  p.light_x = std::sin(around) * std::cos(above);
  p.light_y = -std::sin(above);
  p.light_z = std::cos(around) * std::cos(above);
  const float warm = 0.06F * n(), contrast = u();
  p.light = Rgb{1 + warm, 1, 1 - warm} * mix(0.75F, 1.15F, contrast);
  p.ambient = Rgb{1 - warm, 1, 1 + warm} * mix(0.46F, 0.22F, contrast);
  const float base = uniform(random, 0.1F, 0.75F), tint = uniform(random, 0, 0.35F);
  p.background_top = draw_colour(random, Rgb{base, base, base}, Rgb{tint, tint, tint});
  p.background_bottom = p.background_top * uniform(random, 0.45F, 1.25F);
  p.background_blobs = static_cast<int>(random.below(9));
  p.background_bands = static_cast<int>(random.below(16));
  p.background_bands = p.background_bands > 5 ? 0 : p.background_bands;
  p.blur = std::max(0.0F, 0.35F + 0.45F * n());
  p.grain = u();
  p.grain = 0.003F + 0.013F * p.grain * p.grain;
  p.contrast = 1 + 0.08F * n();
  p.exposure = 1 + 0.12F * n();
  p.jpeg_quality = 70 + static_cast<int>(random.below(26));
  p.texture = random.bits();
  return p;
}

}  // namespace twinage::synthetic
