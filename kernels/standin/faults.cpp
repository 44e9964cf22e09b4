#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/error.h"
#include "kernels/standin/gpu.h"

namespace standin {
namespace {

std::function<void(const std::string&)>& handler() {
  static std::function<void(const std::string&)> h;
  return h;
}

std::string& line() {
  static thread_local std::string text;
  return text;
}

Options options_of_environment() {
  Options o;
  if (const char* when = std::getenv("TWINAGE_STANDIN")) {
    const std::string name = when;
    if (name == "eager")
      o.when = When::eager;
    else if (name == "shuffled")
      o.when = When::shuffled;
    else if (name != "late")
      throw twinage::UsageError("TWINAGE_STANDIN: expected late, eager or shuffled, got " + name);
  }
  if (const char* seed = std::getenv("TWINAGE_STANDIN_SEED"))
    o.seed = std::strtoull(seed, nullptr, 10);
  if (const char* blocking = std::getenv("CUDA_LAUNCH_BLOCKING"))
    o.blocking = std::string(blocking) == "1";
  return o;
}

}  // namespace

Options& options() {
  static Options o = options_of_environment();
  return o;
}

void on_fault(std::function<void(const std::string&)> h) {
  handler() = std::move(h);
}

const std::string& last_line() {
  return line();
}

void forget_line() {
  line().clear();
}

cudaError_t fault(cudaError_t error, const std::string& what) {
  line() = "[standin] " + what;
  if (!handler()) {
    std::fprintf(stderr, "%s\n", line().c_str());
    std::abort();  // where the backtrace in gdb shows who called
  }
  handler()(line());
  return error;
}

}  // namespace standin

cudaError_t cudaGetLastError() {
  standin::forget_line();
  return cudaSuccess;  // core asks for it only to forget it
}

const char* cudaGetErrorString(cudaError_t error) {
  const std::string& line = standin::last_line();
  return line.empty() ? cudaGetErrorName(error) : line.c_str();
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureUnjoined:
      return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureIsolation:
      return "cudaErrorStreamCaptureIsolation";
    case cudaErrorStreamCaptureImplicit:
      return "cudaErrorStreamCaptureImplicit";
    case cudaErrorUnknown:
      return "cudaErrorUnknown";
  }
  return "an error that the stand-in does not know";
}
