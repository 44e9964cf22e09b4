// What the definitions multiply.
#pragma once
#include "core/bf16.h"
#include "core/context.h"

namespace twinage::naive {

// An operand as the context's arithmetic has it: rounded for bf16. (Nothing rounds to tf32: tensor
// cores alone have it, and are compared with exact operands.)
inline double operand(const Context& ctx, float x) {
  return ctx.math == Math::bf16 ? rounded_to_bf16(x) : x;
}

}  // namespace twinage::naive
