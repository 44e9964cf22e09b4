// The gradient with respect to the filters.
#pragma once
#include "kernels/conv2d/conv2d.h"

namespace twinage::cpu {

// Scratch that conv2d_backward_filter() takes.
Index filter_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv);

}  // namespace twinage::cpu
