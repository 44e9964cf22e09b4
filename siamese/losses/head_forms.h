// The forms of heads that say a gender or an age; the table of losses.cpp names them.
#pragma once
#include "siamese/head_form.h"

namespace twinage {

// A logit for each class, read by the softmax: a distribution.
extern const HeadForm kGenderClasses, kAgeClasses;

// A logit for each k = 0 ... 99, of being older than k years, on one weight vector that all share
// (CORAL). P(age = a) = P(age > a - 1) - P(age > a). The shared weights make P(age > k) fall with k
// if their biases do, which CORAL's loss has at its minimum but not on the way there: a difference
// below 0 counts as 0, and the sum is made 1 again [ours].
extern const HeadForm kAgeRanks;

// One number, in decades from 40 years on: 0, which a head begins near, is an age in the middle,
// and what separates faces is a few units [ours].
extern const HeadForm kAgeNumber;
// One number, in decades from 0, of stages that a linear layer on the features feeds (SSR-Net's
// head, kernels/soft_stagewise). In SSR-Net each stage reads a map of its own of two small streams,
// by small fully connected layers; here all read the tower's features.
extern const HeadForm kAgeStages;

// What the two numbers are: years = from + kDecade * number.
inline constexpr float kDecade = 10, kNumberFrom = 40, kStagesFrom = 0;

}  // namespace twinage
