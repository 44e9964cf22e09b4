// The steps of painting a portrait, from the back to the front. Each paints over what is there.
#pragma once
#include "train/faces/pictures/image.h"
#include "train/faces/synthetic/canvas.h"

namespace twinage::synthetic {

void paint_background(Canvas& canvas, const Photo& photo);
void paint_back_hair(Canvas& canvas, const Traits& traits);
void paint_body(Canvas& canvas, const Traits& traits);  // neck, shoulders, clothes
void paint_ears(Canvas& canvas, const Traits& traits);
void paint_head(Canvas& canvas, const Traits& traits, const Photo& photo);
void paint_eyes(Canvas& canvas, const Traits& traits, const Photo& photo);
void paint_mouth(Canvas& canvas, const Traits& traits);
void paint_brows(Canvas& canvas, const Traits& traits);
void paint_beard(Canvas& canvas, const Traits& traits);
void paint_hair(Canvas& canvas, const Traits& traits);
void paint_glasses(Canvas& canvas, const Traits& traits);

// Lens, sensor and film: averages the samples of a pixel, blurs, adds grain.
Image develop(const Canvas& canvas, const Photo& photo);

// 1 on the outline of the head, less inside.
float head_radius(const Traits& traits, Point head);

}  // namespace twinage::synthetic
