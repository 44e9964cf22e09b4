// bf16 views (core/view.h) and packed filters: what inference on the CPU reads and writes. By
// definition a result is that of the same numbers in float32, rounded if it is bf16.
#include <vector>

#include <doctest/doctest.h>

#include "core/bf16.h"
#include "core/error.h"
#include "kernels/matmul/matmul.h"
#include "kernels/pool/pool.h"
#include "tests/kernels/on_cpu.h"

using namespace twinage;
using namespace twinage::test;
using namespace twinage::test::conv2d;

namespace {

// A tensor of bf16 amid guarded memory, of wider pixels if asked.
class Bf16Tensor {
 public:
  explicit Bf16Tensor(Shape shape, Index extra_channels = 0)
      : shape_(shape), words_({shape.n, shape.h, shape.w, shape.c / 2}, extra_channels / 2) {}
  View view() { return {words_.data(), shape_, words_.view().ld, Element::bf16}; }
  bool guards_intact() const { return words_.guards_intact(); }

  void set(ConstView from) {
    for (Index p = 0; p < shape_.pixels(); ++p)
      for (Index c = 0; c < shape_.c; ++c) half(p, c) = to_bf16(from.pixel(p)[c]);
  }
  std::vector<std::uint16_t> halves() {
    std::vector<std::uint16_t> all;
    for (Index p = 0; p < shape_.pixels(); ++p)
      for (Index c = 0; c < shape_.c; ++c) all.push_back(half(p, c));
    return all;
  }

 private:
  std::uint16_t& half(Index p, Index c) {
    return reinterpret_cast<std::uint16_t*>(view().pixel(p))[c];
  }
  Shape shape_;
  GuardedTensor words_;
};

void round_all(GuardedTensor& t) {
  const View v = t.view();
  for (Index p = 0; p < v.shape.pixels(); ++p)
    for (Index c = 0; c < v.shape.c; ++c) v.pixel(p)[c] = rounded_to_bf16(v.pixel(p)[c]);
}

std::vector<std::uint16_t> rounded(const GuardedTensor& t) {
  std::vector<std::uint16_t> all;
  for (float value : t.values()) all.push_back(to_bf16(value));
  return all;
}

bool even(Shape s) {
  return s.c % 2 == 0;
}

}  // namespace

TEST_CASE("bf16 views: conv2d reads and writes them as float32, rounded") {
  if (test_device() != Device::cpu) return;
  Index tried = 0;
  for (const Case& c : cases()) {
    if (!even(c.x) || c.w.n % 2 != 0 || c.extra_channels % 2 != 0) continue;
    CAPTURE(c);
    ++tried;
    Problem problem(c, false);
    round_all(problem.x);
    GuardedTensor bias(vector(c.w.n)), want(problem.shape);
    Random random(4);
    bias.fill_uniform(random);
    Bf16Tensor x(c.x, c.extra_channels);
    x.set(problem.x.view());
    for (const bool epilogue : {false, true}) {
      ConvEpilogue out;
      if (epilogue) out = {.bias = bias.data(), .relu = true};
      const OnCpu one(Math::bf16, 1, c);
      conv2d_forward(one.ctx, want.view(), problem.x.view(), problem.w.view(), c.conv, out);
      for (int threads : {1, 3}) {
        const OnCpu cpu(Math::bf16, threads, c);
        GuardedTensor y(problem.shape, c.extra_channels);
        Bf16Tensor y_of_floats(problem.shape, c.extra_channels),
            y_of_halves(problem.shape, c.extra_channels);
        conv2d_forward(cpu.ctx, y.view(), x.view(), problem.w.view(), c.conv, out);
        conv2d_forward(cpu.ctx, y_of_floats.view(), problem.x.view(), problem.w.view(), c.conv,
                       out);
        conv2d_forward(cpu.ctx, y_of_halves.view(), x.view(), problem.w.view(), c.conv, out);
        CHECK(bitwise_equal(y.view(), want.view()));
        CHECK(y_of_floats.halves() == rounded(want));
        CHECK(y_of_halves.halves() == rounded(want));
        CHECK((y.guards_intact() && y_of_floats.guards_intact() && y_of_halves.guards_intact()));
      }
    }
  }
  CHECK(tried >= 25);
}

TEST_CASE("packed filters give the bits of filters as they are, however often they serve") {
  if (test_device() != Device::cpu) return;
  for (const Math math : {Math::fp32, Math::bf16})
    for (const Case& c : cases()) {
      CAPTURE(c);
      CAPTURE(to_string(math));
      const Problem problem(c, false);
      const OnCpu cpu(math, 2, c);
      GuardedTensor want(problem.shape),
          packed(vector(conv2d_packed_floats(cpu.ctx, c.x, c.w, c.conv)));
      conv2d_forward(cpu.ctx, want.view(), problem.x.view(), problem.w.view(), c.conv);
      conv2d_pack(cpu.ctx, packed.data(), c.x, problem.w.view(), c.conv);
      CHECK(packed.guards_intact());
      for (int again = 0; again < 2; ++again) {
        GuardedTensor y(problem.shape, c.extra_channels);
        conv2d_forward_packed(cpu.ctx, y.view(), problem.x.view(), c.w, packed.data(), c.conv);
        CHECK(bitwise_equal(y.view(), want.view()));
        CHECK(y.guards_intact());
      }
    }
}

TEST_CASE("only the CPU packs filters") {
  Context ctx;
  ctx.device = Device::simt;
  GuardedTensor t({1, 1, 1, 1});
  CHECK(conv2d_packed_floats(ctx, {1, 5, 5, 8}, {8, 3, 3, 8}, {}) == 0);
  const char* refused = "device simt reads filters as they are";
  CHECK_THROWS_WITH_AS(conv2d_pack(ctx, t.data(), {1, 1, 1, 1}, t.view(), {}),
                       doctest::Contains(refused), Error);
  CHECK_THROWS_WITH_AS(conv2d_forward_packed(ctx, t.view(), t.view(), {1, 1, 1, 1}, t.data(), {}),
                       doctest::Contains(refused), Error);
}

TEST_CASE("bf16 views: pools read and write them as float32, rounded") {
  if (test_device() != Device::cpu) return;
  const auto pool = [](int kind, const Context& ctx, View y, ConstView x, Pool windows) {
    if (kind == 0) max_pool_forward(ctx, y, x, windows);
    if (kind == 1) average_pool_forward(ctx, y, x, windows);
    if (kind == 2) global_average_pool_forward(ctx, y, x);
  };
  const Pool all_pools[] = {{3, 2, 0}, {3, 1, 1}, {5, 2, 2}, {2, 2, 0}};
  for (const Shape shape : {Shape{2, 7, 9, 16}, {1, 6, 5, 66}, {3, 5, 5, 154}, {2, 5, 6, 2}})
    for (const Pool windows : all_pools)
      for (const int kind : {0, 1, 2}) {
        CAPTURE(to_string(shape));
        CAPTURE(windows.window);
        CAPTURE(kind);
        const Shape out = kind == 2 ? Shape{shape.n, 1, 1, shape.c} : pool_shape(shape, windows);
        Random random(6);
        GuardedTensor floats(shape, 4), want(out), y(out, 6);
        floats.fill_uniform(random);
        round_all(floats);
        Bf16Tensor x(shape, 4), y_of_floats(out, 2), y_of_halves(out, 8);
        x.set(floats.view());
        const OnCpu cpu(Math::bf16, 2);
        pool(kind, cpu.ctx, want.view(), floats.view(), windows);
        pool(kind, cpu.ctx, y.view(), x.view(), windows);
        pool(kind, cpu.ctx, y_of_floats.view(), floats.view(), windows);
        pool(kind, cpu.ctx, y_of_halves.view(), x.view(), windows);
        CHECK(bitwise_equal(y.view(), want.view()));
        CHECK(y_of_floats.halves() == rounded(want));
        CHECK(y_of_halves.halves() == rounded(want));
        CHECK((y.guards_intact() && y_of_floats.guards_intact() && y_of_halves.guards_intact()));
      }
}

TEST_CASE(
    "bf16 views: slices of channels and of images lie where float32's do, in half the space") {
  GuardedTensor memory({2, 3, 3, 8});
  const View all = {memory.data(), {2, 3, 3, 12}, 8, Element::bf16};
  const View slice = all.channels(4, 6).images(1, 1);
  CHECK(slice.data == memory.data() + 9 * 8 + 2);
  CHECK(slice.shape == Shape{1, 3, 3, 6});
  CHECK(slice.element == Element::bf16);
  CHECK(!all.contiguous());
  CHECK(bf16_view(memory.data(), {2, 3, 3, 12}).contiguous());
  const ConstView same = all;
  CHECK(same.channels(4, 6).images(1, 1).data == slice.data);
  CHECK(same.images(1, 1).element == Element::bf16);
}

TEST_CASE("bf16 views: what does not know them refuses them, and so does other arithmetic") {
  const Shape s{1, 4, 4, 8}, w{8, 1, 1, 8};
  GuardedTensor floats(s), filters(w), statistics(vector(8));
  Bf16Tensor halves(s), odd({1, 4, 4, 7}, 1);
  const OnCpu bf16(Math::bf16, 1), fp32(Math::fp32, 1);
  const auto message = [](auto call) {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  CHECK(message([&] {
          conv2d_forward(fp32.ctx, floats.view(), halves.view(), filters.view(), {});
        }) == "[conv2d_forward] expected x in float32, got bf16");
  CHECK(message([&] {
          conv2d_backward_data(bf16.ctx, halves.view(), floats.view(), filters.view(), {});
        }) == "[conv2d_backward_data] expected x in float32, got bf16");
  CHECK(message([&] {
          conv2d_forward(bf16.ctx, halves.view(), floats.view(), filters.view(), {},
                         {.mean = statistics.data(), .variance = statistics.data()});
        }) == "[conv2d_forward] expected y in float32 where its statistics are wanted, got bf16");
  Bf16Tensor matrix_of_halves(matrix(4, 8), 8);  // as wide as one of floats
  GuardedTensor product(matrix(4, 4)), right(matrix(8, 4));
  CHECK_THROWS_WITH_AS(matmul(bf16.ctx, product.view(), matrix_of_halves.view(), Transpose::no,
                              right.view(), Transpose::no),
                       doctest::Contains("columns) of float32"), Error);
  CHECK(message([&] {
          max_pool_forward(fp32.ctx, floats.view(), halves.view(), {1, 1, 0});
        }) == "[max_pool_forward] expected x in float32, got bf16");
  CHECK(message([&] {
          average_pool_backward(bf16.ctx, floats.view(), halves.view(), {1, 1, 0});
        }) == "[average_pool_backward] expected dy in float32, got bf16");
  CHECK(message([&] {
          max_pool_forward(bf16.ctx, floats.view().channels(0, 7), odd.view(), {1, 1, 0});
        }) ==
        "[max_pool_forward] expected x of bf16 with an even number of channels, got (1, 4, "
        "4, 7)");
}
