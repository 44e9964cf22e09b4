// Each function of an operation stands once more, with the same signature but for default
// arguments, in a namespace for every backend that has it:
//
//   naive    the definition: plain loops, double accumulators
//   cpu      the fast code of the CPU
//   cuda     the CUDA kernels, on a GPU
//   simt     the same CUDA kernels, run by the host
//   vendor   NVIDIA's library, where there is one (ctx.vendor asks for it)
//
// The function in namespace twinage itself checks its arguments and calls the one of its context's
// device (TWINAGE_DISPATCH in kernels/check.h).
#pragma once

// Declares `function` of namespace twinage in one backend.
#define TWINAGE_BACKEND(backend, function) \
  namespace backend {                      \
  decltype(twinage::function) function;    \
  }

// In all of them but the vendor's.
#define TWINAGE_BACKENDS(function) \
  TWINAGE_BACKEND(naive, function) \
  TWINAGE_DEVICE_BACKENDS(function)

// In those of devices: for what the definition does not need, such as the size of a workspace.
#define TWINAGE_DEVICE_BACKENDS(function) \
  TWINAGE_BACKEND(cpu, function)          \
  TWINAGE_BACKEND(cuda, function)         \
  TWINAGE_BACKEND(simt, function)
