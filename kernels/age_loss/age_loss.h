// Losses of single faces whose age is known, each with its gradient: what direct age heads are
// trained with beside the cross-entropy (kernels/softmax_cross_entropy).
//
// Of a distribution over the ages a = 0 ... classes - 1, with p = softmax(logits), its mean
// E = sum a p[a] and its variance V = sum p[a] (a - E)^2, for a face of t years:
//
//   loss = KL(q || p) + error_weight * error(E - t) + variance_weight * V
//   KL(q || p) = sum over a with q[a] > 0 of q[a] (log q[a] - log p[a])
//   q[a] = exp(-((a - t) / sigma)^2 / 2) / (its sum over a);  sigma 0: 1 at the whole year nearest
//          to t (a half: upwards), else 0, and KL is the cross-entropy -log p[t]
//   error(x) = |x| (absolute) or x^2 / 2 (half_square)
//
//   d KL / d logits[a] = p[a] - q[a],   d E / d logits[a] = p[a] (a - E),
//   d V / d logits[a] = p[a] ((a - E)^2 - V)
//
// DLDL-v2 (Gao et al. 2018, "Age estimation using expectation of label distribution learning",
// eq. 4 to 8): sigma 2, absolute, error weight 1. Mean-variance loss (Pan et al. 2018,
// "Mean-variance loss for deep age estimation from a face", eq. 3 to 6): sigma 0, half_square,
// error weight 0.2, variance weight 0.05.
//
// Of ranks (CORAL: Cao, Mirjalili, Raschka 2020, "Rank consistent ordinal regression for neural
// networks", eq. 4, every rank with weight 1): logit k says whether a face is older than k, and
//
//   loss = sum over k of -log(rank > k ? s(x[k]) : 1 - s(x[k])),   s(x) = 1 / (1 + exp(-x))
//   d loss / d x[k] = s(x[k]) - (rank > k ? 1 : 0)
//
// Of one number: loss = |y - target|, whose slope is the sign of y - target, 0 where they are
// equal.
//
// Losses are unweighted, gradients multiplied by `weight`. Labels are memory of the device. A label
// out of range throws Error on cpu; on a device it makes its face's loss and gradient NaN, and so
// do numbers of a face that are NaN. Gradients may not be the outputs that they are of. Stable for
// any finite outputs; error bound: some 2^-20 of the largest term (a sum over 101 ages).
#pragma once
#include <cstdint>

#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

enum class MeanError { absolute, half_square };

struct AgeDistributionLoss {
  float sigma = 0;  // years
  MeanError error = MeanError::absolute;
  float error_weight = 0, variance_weight = 0;
};

// loss[N], dlogits: as logits, matrix(N, classes); ages[N]: years, 0 to classes - 1.
void age_distribution_loss(const Context& ctx, float* loss, View dlogits, ConstView logits,
                           const float* ages, float weight, const AgeDistributionLoss& options);

// logits: matrix(N, K); ranks[N]: 0 to K, how many of the K thresholds a face is beyond.
void ordinal_loss(const Context& ctx, float* loss, View dlogits, ConstView logits,
                  const std::int32_t* ranks, float weight);

// y: matrix(N, 1); targets[N].
void absolute_error_loss(const Context& ctx, float* loss, View dy, ConstView y,
                         const float* targets, float weight);

TWINAGE_BACKENDS(age_distribution_loss)
TWINAGE_BACKENDS(ordinal_loss)
TWINAGE_BACKENDS(absolute_error_loss)

}  // namespace twinage
