#include "siamese/losses/head_forms.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/soft_stagewise/soft_stagewise.h"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace twinage {
namespace {

void read_ranks(const Context&, View said, ConstView outputs) {
  for (Index n = 0; n < outputs.shape.n; ++n) {
    std::array<double, kAges> p{};
    double above = 1, total = 0;  // P(age > a - 1)
    for (Index a = 0; a < kAges; ++a) {
      const double beyond =
          a < outputs.shape.c ? 1 / (1 + std::exp(-static_cast<double>(outputs.pixel(n)[a]))) : 0;
      // A NaN stays: it is not below 0.
      const double here = std::max(above - beyond, 0.0);
      p[static_cast<std::size_t>(a)] = here;
      total += here;
      above = beyond;
    }
    // total is at least 1: differences add up to 1, and only those below 0 were left out.
    for (Index a = 0; a < kAges; ++a)
      said.pixel(n)[a] = static_cast<float>(p[static_cast<std::size_t>(a)] / total);
  }
}

template <const float& from>
void read_decades(const Context&, View said, ConstView outputs) {
  for (Index n = 0; n < outputs.shape.n; ++n)
    said.pixel(n)[0] = from + kDecade * outputs.pixel(n)[0];
}

// V = 101 years in SSR-Net.
LayerPtr stages(Index features, Index) {
  std::vector<LayerPtr> layers;
  layers.push_back(linear(features, kStageNumbers));
  layers.push_back(soft_stagewise(static_cast<double>(kAges) / static_cast<double>(kDecade)));
  return chain(std::move(layers));
}

}  // namespace

constexpr HeadForm kGenderClasses{.outputs = kGenders, .read = softmax};
constexpr HeadForm kAgeClasses{.outputs = kAges, .read = softmax, .ages = AgeSaid::distribution};
constexpr HeadForm kAgeRanks{.outputs = kAges - 1,
                             .layer = shared_linear,
                             .read = read_ranks,
                             .ages = AgeSaid::distribution};
constexpr HeadForm kAgeNumber{
    .outputs = 1, .read = read_decades<kNumberFrom>, .ages = AgeSaid::number};
constexpr HeadForm kAgeStages{
    .outputs = 1, .layer = stages, .read = read_decades<kStagesFrom>, .ages = AgeSaid::number};

}  // namespace twinage
