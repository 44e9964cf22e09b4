// Streams, events and memory on the stand-in: what may be seen when, and each fault's line.
#include <csignal>
#include <cstring>
#include <numeric>

#include "core/cuda_runtime.h"
#include "core/device_memory.h"
#include "cuda_runtime_api.h"
#include "kernels/elementwise/elementwise.h"
#include "tests/standin/faults.h"
#include "tests/support/in_child.h"

using namespace twinage;
using namespace twinage::test;
using standin::When;

namespace {

constexpr Index kCount = 64;
constexpr std::size_t kBytes = kCount * sizeof(float);

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.size()));
  tensor.copy_to(values.data(), tensor.size());
  return values;
}

std::uint64_t waiting() {
  return standin::counts().waiting;
}

struct Pinned : PinnedMemory {
  Pinned() : PinnedMemory(kBytes) {}
  float* floats() { return static_cast<float*>(data()); }
};

}  // namespace

TEST_CASE("standin: a stream's work is done when something waits for it, and not before") {
  const WithOptions late(When::late);
  Tensor x = on_gpu(kCount), y = on_gpu(kCount);
  Pinned pinned;
  std::iota(pinned.floats(), pinned.floats() + kCount, 1.0F);
  CudaStream stream, other;
  cuda_synchronize();
  stream.copy(x.data(), pinned.data(), kBytes);
  add(on(stream), y.view(), x.view());
  CHECK(waiting() == 2);
  other.synchronize();
  CHECK(waiting() == 2);  // another stream's
  stream.synchronize();
  CHECK(waiting() == 0);
  fill(on(stream), x.view(), 9);
  CHECK(waiting() == 1);
  CHECK(values_of(x)[5] == 9);  // a plain copy waits for all streams
  CHECK(values_of(y)[5] == 6);
}

TEST_CASE("standin: a stream that waits for another brings the other's work along") {
  for (const When when : {When::late, When::eager, When::shuffled}) {
    const WithOptions options(when);
    Tensor x = on_gpu(kCount), y = on_gpu(kCount);
    CudaStream first, second;
    fill(on(first), x.view(), 3);
    second.wait_for(first);
    copy(on(second), y.view(), x.view());
    second.synchronize();
    CHECK(waiting() == 0);
    CHECK(values_of(y)[kCount - 1] == 3);
  }
}

TEST_CASE("standin: with CUDA_LAUNCH_BLOCKING the host waits for each piece of work") {
  const WithOptions options(When::late);
  standin::options().blocking = true;
  Pinned pinned;
  const View view{pinned.floats(), vector(kCount), kCount};
  Context ctx;
  ctx.device = Device::cuda;
  fill(ctx, view, 4);
  CHECK(pinned.floats()[3] == 4);
}

TEST_CASE("standin: memory that CUDA gives is no zeros, and core's is") {
  void* p = nullptr;
  REQUIRE(cudaMalloc(&p, 4) == cudaSuccess);
  std::uint32_t bits = 0;
  REQUIRE(cudaMemcpy(&bits, p, 4, cudaMemcpyDefault) == cudaSuccess);
  CHECK(bits == 0xffffffffU);
  CHECK(cudaFree(p) == cudaSuccess);
  CHECK(values_of(on_gpu(3)) == std::vector<float>(3, 0.0F));
}

TEST_CASE("standin fault: a buffer that another stream writes is used before its event") {
  for (const When when : {When::late, When::eager, When::shuffled}) {
    const WithOptions options(when);
    Tensor x = on_gpu(kCount), y = on_gpu(kCount);
    CudaStream first, second;
    fill(on(first), x.view(), 3);
    Faults faults;
    CHECK_THROWS_AS(copy(on(second), y.view(), x.view()), Error);
    CHECK(says(faults.first(), {"kernel 'copy' on stream", "reads buffer", "256 bytes",
                                "while kernel 'fill' on stream", "writes it, may not be done"}));
    CHECK_THROWS_AS(fill(on(second), x.view(), 4), Error);  // overwritten while it is written
    CHECK(says(faults.first(), {"kernel 'fill'", "writes buffer"}));
    first.synchronize();  // the host knows now, and so does what it asks for next
    copy(on(second), y.view(), x.view());
    CHECK_THROWS_AS(fill(on(first), y.view(), 1), Error);
    CHECK(says(faults.first(), {"kernel 'fill'", "while kernel 'copy'"}));
    second.synchronize();
  }
}

TEST_CASE("standin: a missing wait reads what was there before, late, and not for lack of checks") {
  for (const bool waits : {true, false}) {
    const WithOptions late(When::late);
    standin::options().checks_order = false;
    Tensor x = on_gpu(kCount), y = on_gpu(kCount);
    CudaStream first, second;
    fill(on(first), x.view(), 3);
    if (waits) second.wait_for(first);
    copy(on(second), y.view(), x.view());
    second.synchronize();
    cuda_synchronize();
    CHECK(values_of(y)[0] == (waits ? 3 : 0));
  }
}

TEST_CASE("standin: two streams may read the same, and write to two parts of a buffer") {
  Tensor x = on_gpu(2 * kCount), y = on_gpu(kCount), z = on_gpu(kCount);
  Pinned a, b;
  CudaStream first, second;
  copy(on(first), y.view(), ConstView{x.data(), vector(kCount), kCount});
  copy(on(second), z.view(), ConstView{x.data() + kCount, vector(kCount), kCount});
  cuda_synchronize();
  first.copy(x.data(), a.data(), kBytes);
  second.copy(x.data() + kCount, b.data(), kBytes);
  cuda_synchronize();
}

TEST_CASE("standin fault: an event that was never recorded") {
  CudaStream stream;
  cudaEvent_t event{};
  REQUIRE(cudaEventCreate(&event) == cudaSuccess);
  Faults faults;
  CHECK(cudaStreamWaitEvent(static_cast<cudaStream_t>(stream.handle()), event, 0) != cudaSuccess);
  CHECK(says(faults.first(), {"cudaStreamWaitEvent of stream", "never recorded"}));
  cudaEventDestroy(event);
}

TEST_CASE("standin fault: an asynchronous copy from or to pageable memory") {
  Tensor x = on_gpu(kCount);
  std::vector<float> host(kCount);
  CudaStream stream;
  Faults faults;
  CHECK_THROWS_AS(stream.copy(x.data(), host.data(), kBytes), Error);
  CHECK(says(faults.first(),
             {"cudaMemcpyAsync on stream", "256 bytes from pageable memory", "to buffer"}));
  CHECK_THROWS_AS(stream.copy(host.data(), x.data(), kBytes), Error);
  CHECK(says(faults.first(), {"to pageable memory"}));
}

TEST_CASE("standin fault: work of the default stream while there are others") {
  Tensor x = on_gpu(kCount);
  Context no_stream;
  no_stream.device = Device::cuda;
  fill(no_stream, x.view(), 1);  // there are none: nothing is missing
  CudaStream stream;
  Faults faults;
  CHECK_THROWS_AS(fill(no_stream, x.view(), 2), Error);
  CHECK(says(faults.first(), {"kernel 'fill' on the default stream", "stream argument"}));
  Pinned pinned;
  CHECK(cudaMemcpyAsync(x.data(), pinned.data(), kBytes, cudaMemcpyDefault) != cudaSuccess);
  CHECK(says(faults.first(), {"cudaMemcpyAsync on the default stream"}));
}

TEST_CASE("standin fault: memory is freed while work uses it, and used after") {
  CudaStream stream;
  Faults faults;
  void* p = nullptr;
  REQUIRE(cudaMalloc(&p, kBytes) == cudaSuccess);
  const View view{static_cast<float*>(p), vector(kCount), kCount};
  fill(on(stream), view, 1);
  CHECK(cudaFree(p) != cudaSuccess);
  CHECK(says(faults.first(), {"cudaFree of buffer", "kernel 'fill' on stream", "may not be done"}));
  stream.synchronize();
  CHECK(cudaFree(p) == cudaSuccess);
  CHECK_THROWS_AS(fill(on(stream), view, 1), Error);
  CHECK(says(faults.first(), {"kernel 'fill' is given a pointer into buffer", "which was freed"}));
  CHECK(cudaFree(p) != cudaSuccess);
  CHECK(says(faults.first(), {"cudaFree of a pointer into buffer", "which was freed"}));
  CHECK(cudaMemset(p, 0, 4) != cudaSuccess);
  CHECK(says(faults.first(), {"cudaMemset to a pointer into buffer"}));
}

TEST_CASE("standin fault: a copy past the end of a buffer") {
  const Tensor x = on_gpu(kCount);
  std::vector<float> host(kCount + 1);
  Faults faults;
  CHECK_THROWS_AS(copy_bytes(host.data(), Device::cpu, x.data(), Device::cuda, kBytes + 4), Error);
  CHECK(says(faults.first(), {"cudaMemcpy of 260 bytes from byte 0 of buffer", "past its end"}));
}

TEST_CASE("standin fault: a kernel is given memory of the host, or of device simt") {
  Tensor x = on_gpu(kCount), host(vector(kCount)), simt(vector(kCount), Device::simt);
  CudaStream stream;
  Faults faults;
  CHECK_THROWS_AS(add(on(stream), x.view(), host.view()), Error);
  CHECK(says(faults.first(), {"kernel 'add' is given a pointer into pageable memory"}));
  CHECK_THROWS_AS(add(on(stream), x.view(), simt.view()), Error);
  CHECK(says(faults.first(), {"kernel 'add'", "past the end of every buffer of the device"}));
}

TEST_CASE("standin fault: the host reads device memory, or touches page-locked memory in use") {
  const auto child = [](auto f) {
    const End end = in_child([&] {
      standin::options().when = When::late;
      f();
    });
    CHECK(end.signal == SIGSEGV);
    return end.said;
  };
  const auto touch = [](float* p, bool write) {
    volatile float* at = p;
    if (write)
      *at = 1;
    else
      static_cast<void>(*at);
  };
  Tensor x = on_gpu(kCount);
  Pinned pinned;
  CudaStream stream;
  CHECK(says(child([&] { touch(x.data() + 1, false); }),
             {"[standin] the host reads byte 4 of buffer", "256 bytes of the device"}));
  CHECK(says(child([&] {
               stream.copy(x.data(), pinned.data(), kBytes);
               touch(pinned.floats(), false);  // both only read it
               touch(pinned.floats(), true);
             }),
             {"the host writes byte 0 of buffer", "page-locked", "cudaMemcpyAsync on stream",
              "reads it"}));
  CHECK(says(child([&] {
               stream.copy(pinned.data(), x.data(), kBytes);
               touch(pinned.floats() + 2, false);
             }),
             {"the host reads byte 8", "which writes it, may not be done"}));
  stream.copy(pinned.data(), x.data(), kBytes);
  stream.synchronize();
  touch(pinned.floats(), true);
}
