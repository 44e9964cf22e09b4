#include <cmath>
#include <limits>

#include "kernels/batch_loss/naive_sums.h"
#include "kernels/lifted/lifted.h"

namespace twinage::naive {
namespace {

struct Batch {
  const float *d, *age;
  Index count;
  float margin, tau;

  double distance(Index a, Index b) const { return d[pair_index(count, a, b)]; }
  bool same_class(Index a, Index b) const { return std::fabs(age[a] - age[b]) <= tau; }

  // Calls f(face, k) for each negative pair of either face of a positive one.
  template <class F>
  void for_each_negative(Index i, Index j, F f) const {
    for (const Index face : {i, j})
      for (Index k = 0; k < count; ++k)
        if (k != face && !same_class(face, k)) f(face, k);
  }
};

}  // namespace

void lifted_loss(const Context&, float* loss, float* dd, float* active, const float* d,
                 const float* age, Index batch, float weight, const Lifted& options) {
  const Batch faces = {d, age, batch, options.margin, options.tau};
  Sums sums(batch);
  for (Index i = 0; i < batch; ++i)
    for (Index j = i + 1; j < batch; ++j) {
      if (!faces.same_class(i, j)) continue;
      sums.terms += 1;
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      const auto exponent = [&](Index face, Index k) {
        return faces.margin - faces.distance(face, k);
      };
      faces.for_each_negative(i, j, [&](Index face, Index k) {
        if (!(exponent(face, k) <= largest)) largest = exponent(face, k);
      });
      faces.for_each_negative(
          i, j, [&](Index face, Index k) { sum += std::exp(exponent(face, k) - largest); });
      const double J = largest + std::log(sum) + faces.distance(i, j);
      if (J <= 0) continue;  // also -infinity, without a negative
      sums.active += 1;
      sums.loss_of(i) += J * J / 4;
      sums.loss_of(j) += J * J / 4;
      sums.slope_of(i, j) += J;
      faces.for_each_negative(i, j, [&](Index face, Index k) {
        sums.slope_of(face, k) -= J * std::exp(exponent(face, k) - largest) / sum;
      });
    }
  sums.write(loss, dd, active, weight, MeanOver::terms);
}

}  // namespace twinage::naive
