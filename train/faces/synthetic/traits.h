// What a drawn person looks like, and how the picture of them is taken.
//
// Age and gender act on the traits through many weak cues. Each cue follows an age of its own, the
// true age plus an offset of this person (whose skin is early) plus one of this cue (who greys
// early), so that no single cue gives the age away.
#pragma once
#include <cstdint>

#include "core/random.h"
#include "train/faces/synthetic/colour.h"

namespace twinage::synthetic {

// Lengths are in face units: half the width of an average head. The origin lies between the eyes,
// x to the right of the picture, y down. Strengths without a unit are 0 (none) to 1 (strong).
struct Traits {
  // Head.
  float head_width, crown, chin;  // half width; heights above and below the eyes
  float jaw_square, jaw_taper, cheeks, brow_ridge, ear_size, neck_width, shoulder_width;
  // Eyes and brows.
  float eye_x, eye_width, eye_open, eye_tilt, iris_radius, lid_droop;
  float brow_y, brow_thickness, brow_arch;
  // Nose and mouth.
  float nose_y, nose_width, nose_relief, mouth_y, mouth_width, upper_lip, lower_lip, smile, teeth;
  // Skin.
  Rgb skin, lips;
  float redness, mottling, spots, freckles, pores;
  float forehead_lines, crows_feet, nasolabial, eye_bags, lip_lines, jowls, hollows;
  // Hair.
  Rgb hair, iris;
  float grey, beard_grey, brow_grey;
  float hair_length, hairline, recession, thinning, fringe, volume, wave, parting;
  float stubble, beard, moustache;
  // What is put on.
  float eye_makeup, lipstick, glasses, earrings;
  Rgb makeup, frame, clothes;
  float collar;
  std::uint32_t texture;  // seed of strands, spots, pores
};

// How the picture is taken; tells nothing about age or gender.
struct Photo {
  float roll, yaw, pitch;        // radians
  float shift_x, shift_y, zoom;  // shares of the picture's side; factor
  float light_x, light_y, light_z;
  Rgb light, ambient;
  Rgb background_top, background_bottom;
  int background_blobs, background_bands;
  float blur, grain, contrast, exposure;  // blur as it shows at 200 pixels a side
  int jpeg_quality;
  std::uint32_t texture;
};

// The same generator gives the same person at every age and of either gender: always the same
// number of draws, in the same order.
Traits draw_traits(float age, int gender, Random& identity);
Photo draw_photo(Random& random);

}  // namespace twinage::synthetic
