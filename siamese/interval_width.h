// How wide an interval has to be for faces of each age, and where it ends then.
//
// Some ages are harder to read than others, and old people are read too young: with one factor for
// all an interval that holds 80 % of all faces may hold half of those over seventy. The true age is
// not known when a face is read, but every candidate for it is: with h years the raw interval's
// half-width and f(a) the factor that faces of age a need,
//
//   the interval of a face read as p is the hull of { a : |a - p| <= h f(a) }
//
// so that a face whose age is a lies within wherever |a - p| <= h f(a), which f makes so for 80 %
// of them: label-conditional conformal prediction (Vovk, Gammerman and Shafer 2005, "Algorithmic
// learning in a random world", section 4.5: a Mondrian predictor whose categories are the labels).
// The two sides are unlike each other without being told to: upwards f(a) is that of older faces.
#pragma once
#include <span>

#include "core/shape.h"

namespace twinage {

// f is kept at the ages 0, 5, ... 100, with straight lines between and constant beyond [ours].
constexpr Index kWidthAges = 21;
constexpr double kWidthStep = 5;  // years

// f(age); by_age is [kWidthAges], or empty: 1 for every age.
double width_at(std::span<const float> by_age, double age);

enum class Side { below, above };

// How far the interval reaches to this side of `age`: the largest r >= 0 with r <= half f(age +-
// r). half: years, at least 0.
double interval_reach(std::span<const float> by_age, double age, double half, Side side);

}  // namespace twinage
