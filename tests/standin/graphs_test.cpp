// Recordings on the stand-in, and what may not be recorded or replayed.
#include "core/cuda_runtime.h"
#include "core/device_memory.h"
#include "kernels/elementwise/elementwise.h"
#include "tests/standin/faults.h"

using namespace twinage;
using namespace twinage::test;

namespace {

constexpr Index kCount = 64;

float value_of(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.size()));
  tensor.copy_to(values.data(), tensor.size());
  return values[7];
}

}  // namespace

TEST_CASE("standin: recorded work is done at each replay, and not when it is recorded") {
  Tensor x = on_gpu(kCount), one = on_gpu(kCount);
  CudaStream stream;
  CudaGraph graph;
  fill(on(stream), one.view(), 1);
  const std::string refused = graph.record(stream, [&] {
    add(on(stream), x.view(), one.view());
    add(on(stream), x.view(), one.view());
  });
  CHECK(refused == "");
  CHECK(value_of(x) == 0);
  for (int i = 1; i <= 3; ++i) {
    graph.launch(stream);
    CHECK(value_of(x) == 2 * i);
  }
}

TEST_CASE("standin fault: what cannot be recorded, and the recording says why") {
  Tensor x = on_gpu(kCount);
  CudaStream stream, other;
  CudaGraph graph;
  Faults faults;
  const auto refused = [&](auto work, const std::vector<std::string>& parts) {
    CHECK(says(graph.record(stream, work), parts));
    CHECK(says(faults.first(), parts));
    CHECK_FALSE(graph.recorded());
  };
  refused([] { on_gpu(3); }, {"cudaMalloc of 12 bytes while stream", "is being recorded"});
  refused([] { PinnedMemory pinned(16); }, {"cudaMallocHost of 16 bytes while"});
  refused([&] { stream.synchronize(); }, {"cudaStreamSynchronize of stream", "being recorded"});
  refused([] { cuda_synchronize(); }, {"cudaDeviceSynchronize", "being recorded"});
  refused([&] { set_bytes(x.data(), Device::cuda, 0, 4); }, {"cudaMemset on the default stream"});
  refused([&] { static_cast<void>(value_of(x)); }, {"cudaMemcpy on the default stream"});
  refused([&] { stream.wait_for(other); }, {"cudaStreamWaitEvent", "across the edge"});
  refused(
      [&] {
        other.wait_for(stream);
        fill(on(other), x.view(), 1);
      },
      {"cudaStreamEndCapture of stream", "does not wait for what stream"});
  Context no_stream;
  no_stream.device = Device::cuda;
  refused([&] { fill(no_stream, x.view(), 1); }, {"kernel 'fill' on the default stream, while"});
  // And a recording whose fault nobody looks at is none.
  CHECK(graph.record(stream, [] {
    const Tensor t;
    cuda_free(nullptr);
  }) == "");
}

TEST_CASE(
    "standin: a stream that waits for a recorded one is recorded, too, until that waits for it") {
  Tensor x = on_gpu(kCount), y = on_gpu(kCount), one = on_gpu(kCount);
  CudaStream stream, other;
  CudaGraph graph;
  fill(on(stream), one.view(), 1);
  CHECK(graph.record(stream, [&] {
    add(on(stream), x.view(), one.view());
    other.wait_for(stream);
    copy(on(other), y.view(), x.view());  // beside the next line
    add(on(stream), one.view(), one.view());
    stream.wait_for(other);
    add(on(stream), x.view(), one.view());
  }) == "");
  CHECK(value_of(x) == 0);
  float before = 0, ones = 1;
  for (const standin::When when :
       {standin::When::late, standin::When::eager, standin::When::shuffled}) {
    const WithOptions options(when);
    graph.launch(stream);
    CHECK(value_of(y) == before + ones);
    ones *= 2;
    CHECK(value_of(x) == before + ones / 2 + ones);
    before = value_of(x);
  }
  // It is a stream as before.
  fill(on(other), y.view(), 3);
  CHECK(value_of(y) == 3);
}

TEST_CASE("standin fault: two recorded streams that nothing orders, found when they are replayed") {
  Tensor x = on_gpu(kCount), one = on_gpu(kCount);
  CudaStream stream, other;
  CudaGraph graph;
  CHECK(graph.record(stream, [&] {
    other.wait_for(stream);
    fill(on(other), x.view(), 1);
    fill(on(stream), x.view(), 2);
    stream.wait_for(other);
  }) == "");
  Faults faults;
  CHECK_THROWS_AS(graph.launch(stream), Error);
  CHECK(says(faults.first(), {"kernel 'fill' on stream", "writes buffer", "may not be done"}));
  cuda_synchronize();
}

TEST_CASE("standin fault: a replay with memory that was freed since, even if given out again") {
  CudaStream stream;
  CudaGraph graph;
  Tensor x = on_gpu(kCount);
  CHECK(graph.record(stream, [&] { fill(on(stream), x.view(), 1); }) == "");
  graph.launch(stream);
  stream.synchronize();
  x = on_gpu(kCount);
  Faults faults;
  CHECK_THROWS_AS(graph.launch(stream), Error);
  CHECK(says(faults.first(), {"cudaGraphLaunch on stream", "kernel 'fill' was recorded with buffer",
                              "(256 bytes), which was freed since"}));
}
