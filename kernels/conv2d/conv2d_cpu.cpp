#include "kernels/conv2d/conv2d.h"

namespace twinage::cpu {

Index conv2d_workspace(const Context&, Shape, Shape, Conv2d) {
  return 0;
}

void conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                    ConvEpilogue epilogue) {
  naive::conv2d_forward(ctx, y, x, w, conv, epilogue);
}

void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write) {
  naive::conv2d_backward_data(ctx, dx, dy, w, conv, write);
}

void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write) {
  naive::conv2d_backward_filter(ctx, dw, dy, x, conv, write);
}

}  // namespace twinage::cpu
