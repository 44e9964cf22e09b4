// The seam at which kernels/standin takes the place of the CUDA runtime, in tests on machines
// without a GPU: device cuda's launches then come here as those of device simt do, from the same
// objects, and wait in its streams. In a program that does not link it, none of this is ever set.
#pragma once
#include <cstddef>

#include "kernels/simt/runner.h"

namespace gpu {

// One of a kernel's arguments, as its bytes lie in Launch::call.
struct Argument {
  const void* p;
  std::size_t bytes;
  bool reads_only;    // its type says that the kernel only reads what it points to
  std::size_t reach;  // of a view: bytes from where it points to on; 0: not known
  bool cleared;       // each of its words is a value: none is what was there before
};

struct StandIn {
  // Takes the launch into the queue of `stream` (a cudaStream_t; null: the default stream). Call
  // and arguments are copied. What no GPU accepts throws Error at once, as Launch says.
  void (*launch)(const Launch& launch, const Argument* arguments, std::size_t count, void* stream);
  // Whether these bytes lie in memory of the host that a GPU's kernels reach: page-locked.
  bool (*reaches)(const void* p, std::size_t bytes);
};

// Null in every program but those of the stand-in's tests.
const StandIn* stand_in();
void set_stand_in(const StandIn* stand_in);
bool stood_in();  // whether there is one

// What run() does first: throws Error when the launch asks for what no GPU offers.
void require_valid(const Launch& launch);

}  // namespace gpu
