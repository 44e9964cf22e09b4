// Soft stagewise regression (SSR-Net: Yang, Huang, Lin, Hsiu, Chuang 2018, "SSR-Net: A compact soft
// stagewise regression network for age estimation", eq. 1 to 6): a number as the sum of expected
// values, each stage refining a bin of the one before. With K = 3 stages of s = 3 bins,
//
//   y = range * sum over k = 1 ... K of m_k / S_k
//   m_k = sum over i = 0 ... s - 1 of p_k[i] (i + h_k[i]),   S_k = product over j <= k of s (1 +
//   D_j)
//
// where p_k = softmax(l_k) says in which bin, h_k = tanh(e_k) shifts each bin by up to its width,
// and D_k = tanh(d_k) / 2 stretches or shrinks all bins of the stage. (The authors' code has a ReLU
// in place of the softmax, which bounds nothing, and a factor of its own on both tanh; a half is
// ours: with 1, a bin's width could become infinite.)
//
// x, matrix(N, K (2 s + 1)): for each stage its l, its e and its d, one stage after the other.
// y, matrix(N, 1). The gradient, with g = dy * range:
//
//   d l_k[i] = g / S_k * p_k[i] (i + h_k[i] - m_k),   d e_k[i] = g / S_k * p_k[i] (1 - h_k[i]^2),
//   d d_k = -g * (sum over j >= k of m_j / S_j) / (1 + D_k) * (1 - (2 D_k)^2) / 2
//
// Error bound: some 2^-21 * range. A NaN of a row comes through.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "kernels/backends.h"

namespace twinage {

inline constexpr Index kStages = 3, kStageBins = 3;
inline constexpr Index kStageNumbers = kStages * (2 * kStageBins + 1);

void soft_stagewise_forward(const Context& ctx, View y, ConstView x, float range);
// dx = or += the gradient; x: as given forward. dx may not be x.
void soft_stagewise_backward(const Context& ctx, View dx, ConstView dy, ConstView x, float range,
                             Write write);

TWINAGE_BACKENDS(soft_stagewise_forward)
TWINAGE_BACKENDS(soft_stagewise_backward)

}  // namespace twinage
