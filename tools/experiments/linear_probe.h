// What a linear rule can read of a yes or no (a gender) in embeddings that were not trained for it:
// the accuracy of a logistic regression on frozen embeddings, Alain and Bengio 2016 (arXiv
// 1610.01644). The paper's "self-generated gender feature" (Jeong et al. 2018, table 2) is measured
// so here; how the paper read it is not public [ours].
//
//   f(z) = b + sum_c w_c (z_c - m_c) / s_c      m, s: mean and standard deviation over the faces
//   P(y = 1 | z) = 1 / (1 + exp(-f(z)))
//   minimised: 1/n sum_i log(1 + exp(-t_i f(z_i))) + lambda/2 sum_c w_c^2,   t_i = 2 y_i - 1
//
// by Newton's method in double, halving a step that does not lower it. lambda > 0 keeps it finite
// where a plane separates the classes; b is free.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/view.h"

namespace twinage {

struct LinearProbe {
  std::vector<double> weights;  // [width], of z as it is: m and s are worked into them
  double bias = 0;

  double logit(std::span<const float> z) const;
};

constexpr double kProbeLambda = 1e-3;  // [ours]

// z: matrix(n, width); labels 0 or 1 [n], both present. Throws Error otherwise, for numbers that
// are not finite, and where it does not converge.
LinearProbe fit_linear_probe(ConstView z, std::span<const std::uint8_t> labels,
                             double lambda = kProbeLambda);

// Share of faces whose label the probe says (1 from logit 0 on); of at least one face.
double accuracy_of(const LinearProbe& probe, ConstView z, std::span<const std::uint8_t> labels);

}  // namespace twinage
