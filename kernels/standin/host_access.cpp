// The host's own accesses, which no call tells of: the pages say no, and this says why.
#include <csignal>
#include <cstdio>

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/error.h"
#include "core/simt_memory.h"
#include "kernels/standin/gpu.h"

namespace standin {
namespace {

struct sigaction before_us;

// "writes", "reads"; where the processor does not say, "touches".
const char* verb([[maybe_unused]] const void* context) {
#if defined(__x86_64__)
  const auto error = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR];
  return (error & 2) != 0 ? "writes" : "reads";
#else
  return "touches";
#endif
}

std::string line_for(const void* p, const void* context) {
  Buffers& buffers = Gpu::the().buffers();
  const Buffer* buffer = buffers.holding(p);
  if (buffer == nullptr) {
    const std::string text = buffers.text(p);
    if (text.find("pageable") != std::string::npos || p == nullptr) return "";
    return fmt::format("the host {} through a pointer {}", verb(context), text);
  }
  const auto offset = reinterpret_cast<std::uintptr_t>(p) - buffer->range.begin;
  if (!buffer->pinned)
    return fmt::format("the host {} byte {} of {}: copy it to the host first (Tensor::copy_to)",
                       verb(context), offset, buffer->name());
  if (buffer->uses.empty()) return "";
  const Use& use = buffer->uses.back();
  return fmt::format(
      "the host {} byte {} of {} while {} on stream {}, which {} it, may not be "
      "done: synchronise first",
      verb(context), offset, buffer->name(), use.work->call, use.stream,
      use.writes ? "writes" : "reads");
}

// The access came from ordinary code, in the middle of no system call: what is not safe in other
// signal handlers is here. The access is then repeated by whoever handled it before.
void explain(int signal, siginfo_t* info, void* context) {
  Gpu& gpu = Gpu::the();
  if (gpu.mutex.try_lock()) {  // this thread may hold it itself
    const std::string line = line_for(info->si_addr, context);
    gpu.mutex.unlock();
    if (!line.empty()) {
      const std::string text = "[standin] " + line + "\n";
      [[maybe_unused]] const auto ignored = write(STDERR_FILENO, text.data(), text.size());
      std::signal(signal, SIG_DFL);
      return;
    }
  }
  sigaction(signal, &before_us, nullptr);
}

}  // namespace

void watch_the_host() {
  twinage::simt_memory::protect_from_host(true);  // whose handler is to be the one before
  struct sigaction action {
  }, now{};
  sigaction(SIGSEGV, nullptr, &now);
  if (now.sa_sigaction == explain) return;
  before_us = now;
  action.sa_sigaction = explain;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace standin
