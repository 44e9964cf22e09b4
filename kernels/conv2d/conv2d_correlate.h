// The driver of the correlation tiles, which serves forward, backward data and matrix product.
#pragma once
#include "core/context.h"
#include "kernels/conv2d/conv2d_pack.h"
#include "kernels/conv2d/conv2d_plan.h"

namespace twinage::cpu {

// y[n, p, q, k] = or += the correlation of x with packed filters.
struct Correlation {
  Geometry g;  // C counts elements of the operands
  Index K = 0;
  Source x;
  Element x_element = Element::float32;  // bf16: pairs that are in memory already
  Index rounded_channels = 0;            // of floats of which pairs are made; else 0
  Target y;                              // its pitches lead from one output pixel to the next
  Element y_element = Element::float32;
  const float* filters = nullptr;  // panels [panel][R * S * C][width]
  Write write = Write::overwrite;
  ConvEpilogue epilogue;
};

// Scratch that correlate() takes from the context at most, whether x has to be rounded or not.
Index correlate_workspace(const Context& ctx, const Geometry& g, Index K);

void correlate(const Context& ctx, const Correlation& job);

}  // namespace twinage::cpu
