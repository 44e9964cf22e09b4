// How often each face is drawn, so that rare ages are not drowned by the frequent ones.
//
//   w_i = density(age_i)^-balance * c
//
// density(a) is the number of faces of age a, smoothed over neighbouring ages: a face of 71 helps
// to read 72 (label distribution smoothing: Yang, Zha, Chen, Wang and Katabi 2021, "Delving into
// Deep Imbalanced Regression"; a Gaussian of 2 years over whole years, which is theirs, too).
// balance 0: all alike; 0.5: theirs of the square root; 1: every age as often as every other.
// c makes the mean 1, so that an epoch has as many faces as there are. Ours are the two limits: no
// face is drawn more than kMostDraws times an epoch, or a single face of 110 would be learnt by
// heart; and faces under 10, which are read by other signs than adults (no gender shows yet), can
// be given a least weight.
#pragma once
#include <span>
#include <vector>

namespace twinage {

struct BalanceOptions {
  double balance = 0;   // 0 to 1
  double children = 0;  // faces under 10 are drawn at least so many times as often as the mean face

  bool operator==(const BalanceOptions&) const = default;
};

constexpr double kMostDraws = 10;     // of a face in an epoch [ours]
constexpr float kChildrenUnder = 10;  // years

// Expected draws of each face an epoch, their sum is the number of faces; none where nothing is to
// be balanced. ages: years [faces], at least one. Throws Error for options out of range.
std::vector<double> draw_weights(std::span<const float> ages, const BalanceOptions& options);

}  // namespace twinage
