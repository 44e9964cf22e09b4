// A context of the CPU in a chosen arithmetic, whatever the device under test.
#pragma once
#include <algorithm>
#include <limits>

#include "tests/kernels/conv2d_cases.h"

namespace twinage::test {

// Its workspace is of just the size that plan(ctx) says, poisoned with NaN.
struct OnCpu {
  template <class Plan>
  OnCpu(Math math, int threads, Plan plan) {
    ctx.math = math;
    ctx.threads = threads;
    workspace = Workspace(plan(ctx));
    ctx.workspace = &workspace;
    WorkspaceScope scope(&workspace);
    std::fill_n(scope.floats(workspace.capacity()), workspace.capacity(),
                std::numeric_limits<float>::quiet_NaN());
  }
  OnCpu(Math math, int threads, const conv2d::Case& c)
      : OnCpu(math, threads,
              [&](const Context& any) { return conv2d_workspace(any, c.x, c.w, c.conv); }) {}
  OnCpu(Math math, int threads) : OnCpu(math, threads, [](const Context&) { return Index{0}; }) {}
  OnCpu(const OnCpu&) = delete;
  Workspace workspace;
  Context ctx;
};

}  // namespace twinage::test
