// One convolution as six CUDA kernels, each one step faster in design than the one before; what the
// chapter docs/10-one-convolution-six-rungs.md walks through. Nothing else uses them: the kernel of
// conv2d_cuda.cu is where the sixth rung leads, for all shapes.
//
//   1 naive            one thread an output
//   2 shared tiles     a block shares what it loads
//   3 register tiles   a thread makes 4 x 4 outputs
//   4 vector loads     four numbers an instruction
//   5 double buffer    the next slab travels while this one is multiplied
//   6 tensor cores     16 x 16 x 8 multiply-adds an instruction, operands in tf32
//
// All take whole tensors (no pitch), and C a multiple of 16, so that 16 terms of a sum always
// belong to one tap.
#pragma once
#include "kernels/conv2d/conv2d.h"

namespace twinage {

constexpr int kConv2dRungs = 6;

const char* conv2d_rung_name(int rung);  // 1 ... kConv2dRungs

// y = conv(x, w) with the kernel of this rung. ctx.device: simt or cuda. Throws Error.
void conv2d_rung(const Context& ctx, int rung, View y, ConstView x, ConstView w, Conv2d conv);

// The kernel of each rung; the CPU has none.
using Conv2dRung = void(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv);
namespace cuda {
Conv2dRung conv2d_rung1, conv2d_rung2, conv2d_rung3, conv2d_rung4, conv2d_rung5, conv2d_rung6;
}
namespace simt {
Conv2dRung conv2d_rung1, conv2d_rung2, conv2d_rung3, conv2d_rung4, conv2d_rung5, conv2d_rung6;
}

}  // namespace twinage
