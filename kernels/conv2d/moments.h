// Statistics of a convolution's results, of which each block has formed a part.
#pragma once
#include <algorithm>

#include "kernels/conv2d/conv2d.h"

namespace twinage::cpu {

// Mean and variance of each of K channels from the moments of `blocks` blocks, [block][mean, M2]
// [padded], merged in their order (Chan et al. 1979). pixels_of(block): how many each is of.
template <class PixelsOf>
void merge_moments(const ConvEpilogue& epilogue, const float* moments, Index K, Index padded,
                   Index blocks, PixelsOf pixels_of) {
  std::fill_n(epilogue.mean, K, 0.0F);
  std::fill_n(epilogue.variance, K, 0.0F);
  Index before = 0;  // pixels
  for (Index b = 0; b < blocks; ++b) {
    const Index pixels = pixels_of(b);
    const float share = static_cast<float>(pixels) / static_cast<float>(before + pixels);
    const float weight = share * static_cast<float>(before);
    const float *mean = moments + 2 * b * padded, *m2 = mean + padded;
    for (Index k = 0; k < K; ++k) {
      const float delta = mean[k] - epilogue.mean[k];
      epilogue.mean[k] += delta * share;
      epilogue.variance[k] += m2[k] + delta * delta * weight;
    }
    before += pixels;
  }
  const float scale = 1 / static_cast<float>(std::max<Index>(1, before));
  for (Index k = 0; k < K; ++k) epilogue.variance[k] *= scale;
}

}  // namespace twinage::cpu
