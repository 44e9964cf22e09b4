// NVIDIA's convolutions, to compare with. The library is loaded when it is first used.
#include "kernels/check.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/vendor.h"

#if TWINAGE_CUDA && __has_include(<cudnn.h>)
#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <vector>

// The classic calls: cuDNN 9 has them, and calls them deprecated.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <cudnn.h>

#include "core/shared_library.h"
#include "core/tensor.h"

namespace twinage::vendor {
namespace {

// Its alignment of this macro does not come to rest:
// clang-format off
#define TWINAGE_CUDNN_FUNCTIONS(F)                                                                 \
  F(GetErrorString)                                                                                \
  F(Create)                                                                                        \
  F(SetStream)                                                                                     \
  F(CreateTensorDescriptor)                                                                        \
  F(DestroyTensorDescriptor)                                                                       \
  F(SetTensor4dDescriptorEx)                                                                       \
  F(CreateFilterDescriptor) F(DestroyFilterDescriptor) F(SetFilter4dDescriptor)                    \
      F(CreateConvolutionDescriptor) F(DestroyConvolutionDescriptor) F(SetConvolution2dDescriptor) \
          F(SetConvolutionMathType) F(GetConvolutionForwardAlgorithm_v7)                           \
              F(GetConvolutionBackwardDataAlgorithm_v7)                                            \
                  F(GetConvolutionBackwardFilterAlgorithm_v7) F(ConvolutionForward)                \
                      F(ConvolutionBackwardData) F(ConvolutionBackwardFilter) F(AddTensor)         \
                          F(ActivationForward) F(CreateActivationDescriptor)                       \
                              F(SetActivationDescriptor)
// clang-format on

// Each function under its name without "cudnn".
struct Cudnn {
  SharedLibrary library{"cudnn", std::array{"libcudnn.so." + std::to_string(CUDNN_MAJOR),
                                            std::string("libcudnn.so")}};
#define TWINAGE_DECLARE(name) decltype(&cudnn##name) name = nullptr;
  TWINAGE_CUDNN_FUNCTIONS(TWINAGE_DECLARE)
#undef TWINAGE_DECLARE
  cudnnHandle_t handle = nullptr;
  cudnnActivationDescriptor_t relu = nullptr;

  Cudnn() {
#define TWINAGE_FIND(name) library.find(name, "cudnn" #name);
    TWINAGE_CUDNN_FUNCTIONS(TWINAGE_FIND)
#undef TWINAGE_FIND
    check(Create(&handle), "cudnnCreate");
    check(CreateActivationDescriptor(&relu), "cudnnCreateActivationDescriptor");
    check(SetActivationDescriptor(relu, CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0),
          "cudnnSetActivationDescriptor");
  }
  void check(cudnnStatus_t status, const char* call) const {
    require(status == CUDNN_STATUS_SUCCESS, "[cudnn] {} failed: {}", call, GetErrorString(status));
  }
};

const Cudnn& cudnn() {
  static const Cudnn loaded;
  return loaded;
}

int to_int(Index i) {
  return static_cast<int>(i);
}

// cuDNN's descriptions of one convolution's arguments.
class Description {
 public:
  Description(const Context& ctx, ConstView x, Shape w, ConstView y, Conv2d conv) {
    require(ctx.math != Math::bf16,
            "[cudnn] expected math fp32 or tf32: cuDNN does not round float32 to bf16");
    const Cudnn& lib = cudnn();
    lib.check(lib.SetStream(lib.handle, static_cast<cudaStream_t>(ctx.stream)), "cudnnSetStream");
    describe(x_, x.shape, x.ld);
    describe(y_, y.shape, y.ld);
    describe(bias_, vector(y.shape.c), y.shape.c);
    lib.check(lib.CreateFilterDescriptor(&w_), "cudnnCreateFilterDescriptor");
    lib.check(lib.SetFilter4dDescriptor(w_, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, to_int(w.n),
                                        to_int(w.c), to_int(w.h), to_int(w.w)),
              "cudnnSetFilter4dDescriptor");
    lib.check(lib.CreateConvolutionDescriptor(&conv_), "cudnnCreateConvolutionDescriptor");
    lib.check(lib.SetConvolution2dDescriptor(conv_, to_int(conv.pad_h), to_int(conv.pad_w),
                                             to_int(conv.stride), to_int(conv.stride), 1, 1,
                                             CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
              "cudnnSetConvolution2dDescriptor");
    // The default lets cuDNN use tf32.
    lib.check(lib.SetConvolutionMathType(
                  conv_, ctx.math == Math::tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH),
              "cudnnSetConvolutionMathType");
  }
  ~Description() {
    const Cudnn& lib = cudnn();
    for (cudnnTensorDescriptor_t tensor : {x_, y_, bias_}) lib.DestroyTensorDescriptor(tensor);
    lib.DestroyFilterDescriptor(w_);
    lib.DestroyConvolutionDescriptor(conv_);
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  cudnnTensorDescriptor_t x() const { return x_; }
  cudnnTensorDescriptor_t y() const { return y_; }
  cudnnTensorDescriptor_t bias() const { return bias_; }
  cudnnFilterDescriptor_t w() const { return w_; }
  cudnnConvolutionDescriptor_t conv() const { return conv_; }

 private:
  static void describe(cudnnTensorDescriptor_t& to, Shape s, Index ld) {
    const Cudnn& lib = cudnn();
    lib.check(lib.CreateTensorDescriptor(&to), "cudnnCreateTensorDescriptor");
    lib.check(lib.SetTensor4dDescriptorEx(to, CUDNN_DATA_FLOAT, to_int(s.n), to_int(s.c),
                                          to_int(s.h), to_int(s.w), to_int(s.h * s.w * ld), 1,
                                          to_int(s.w * ld), to_int(ld)),
              "cudnnSetTensor4dDescriptorEx");
  }

  cudnnTensorDescriptor_t x_ = nullptr, y_ = nullptr, bias_ = nullptr;
  cudnnFilterDescriptor_t w_ = nullptr;
  cudnnConvolutionDescriptor_t conv_ = nullptr;
};

// An algorithm and the scratch that it takes.
struct Choice {
  int algorithm = 0;
  std::size_t bytes = 0;
};

constexpr std::size_t kMostBytes = std::size_t{256} << 20;

// The first of what cuDNN's heuristics propose that gives the same bits every time and takes no
// more than kMostBytes.
template <class Result, class Query>
Choice choose(const char* call, Query query) {
  std::array<Result, 16> results{};
  int count = 0;
  cudnn().check(query(static_cast<int>(results.size()), &count, results.data()), call);
  for (int i = 0; i < count; ++i) {
    const Result& result = results[static_cast<std::size_t>(i)];
    if (result.status == CUDNN_STATUS_SUCCESS && result.determinism == CUDNN_DETERMINISTIC &&
        result.memory <= kMostBytes)
      return {static_cast<int>(result.algo), result.memory};
  }
  fail("[cudnn] {} knows no deterministic algorithm for this convolution in {} bytes", call,
       kMostBytes);
}

Choice choose_forward(const Description& d) {
  const Cudnn& lib = cudnn();
  return choose<cudnnConvolutionFwdAlgoPerf_t>(
      "cudnnGetConvolutionForwardAlgorithm_v7", [&](int wanted, int* count, auto* results) {
        return lib.GetConvolutionForwardAlgorithm_v7(lib.handle, d.x(), d.w(), d.conv(), d.y(),
                                                     wanted, count, results);
      });
}
Choice choose_backward_data(const Description& d) {
  const Cudnn& lib = cudnn();
  return choose<cudnnConvolutionBwdDataAlgoPerf_t>(
      "cudnnGetConvolutionBackwardDataAlgorithm_v7", [&](int wanted, int* count, auto* results) {
        return lib.GetConvolutionBackwardDataAlgorithm_v7(lib.handle, d.w(), d.y(), d.conv(), d.x(),
                                                          wanted, count, results);
      });
}
Choice choose_backward_filter(const Description& d) {
  const Cudnn& lib = cudnn();
  return choose<cudnnConvolutionBwdFilterAlgoPerf_t>(
      "cudnnGetConvolutionBackwardFilterAlgorithm_v7", [&](int wanted, int* count, auto* results) {
        return lib.GetConvolutionBackwardFilterAlgorithm_v7(lib.handle, d.x(), d.y(), d.conv(),
                                                            d.w(), wanted, count, results);
      });
}

// cuDNN's scratch is kept here and not in the context's workspace, which is planned for our own
// kernels. It grows in the first step.
void* scratch(std::size_t bytes) {
  static Tensor memory;
  const Index floats = ceil_div(static_cast<Index>(bytes), Index{sizeof(float)});
  if (memory.size() < floats) memory = Tensor(vector(floats), Device::cuda);
  return memory.data();
}

// Asking the heuristics takes longer than a small convolution, so what was chosen is remembered.
// One thread launches work; no lock.
enum class Pass { forward, backward_data, backward_filter };
using Key = std::tuple<Pass, std::array<Index, 13>>;

Choice remembered(Pass pass, const Context& ctx, ConstView x, Shape w, ConstView y, Conv2d conv,
                  const Description& d) {
  static std::map<Key, Choice> known;
  const Shape s = x.shape;
  const Key key{pass,
                {s.n, s.h, s.w, s.c, x.ld, w.n, w.h, w.w, y.ld, conv.stride, conv.pad_h, conv.pad_w,
                 static_cast<Index>(ctx.math)}};
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  return known[key] = pass == Pass::forward         ? choose_forward(d)
                      : pass == Pass::backward_data ? choose_backward_data(d)
                                                    : choose_backward_filter(d);
}

constexpr float kOne = 1;

float before(Write write) {
  return write == Write::accumulate ? 1.0F : 0.0F;
}

// On the context's stream.
void copy_pixels(const Context& ctx, View y, ConstView x) {
  const auto bytes = [](Index floats) { return static_cast<std::size_t>(floats) * sizeof(float); };
  const cudaError_t error =
      cudaMemcpy2DAsync(y.data, bytes(y.ld), x.data, bytes(x.ld), bytes(y.shape.c),
                        static_cast<std::size_t>(y.shape.pixels()), cudaMemcpyDeviceToDevice,
                        static_cast<cudaStream_t>(ctx.stream));
  require(error == cudaSuccess, "[conv2d] cudaMemcpy2DAsync failed: {}", cudaGetErrorString(error));
}

}  // namespace

std::string cudnn_problem() {
  try {
    cudnn();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

Index conv2d_workspace(const Context&, Shape x, Shape w, Conv2d conv) {
  return workspace_floats(conv2d_shape(x, w, conv).size());  // a whole y
}

void conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                    ConvEpilogue epilogue) {
  if (!y.contiguous()) {  // cuDNN promises NHWC for whole tensors only
    WorkspaceScope scope(ctx.workspace);
    const View whole = scope.view(y.shape);
    vendor::conv2d_forward(ctx, whole, x, w, conv, epilogue);
    return copy_pixels(ctx, y, whole);
  }
  require(
      epilogue.mean == nullptr,
      "[conv2d] cuDNN forms no statistics: ask conv2d_has_statistics, and batch_norm_statistics");
  if (x.shape.n == 0) return;
  const Cudnn& lib = cudnn();
  const Description d(ctx, x, w.shape, y, conv);
  const Choice choice = remembered(Pass::forward, ctx, x, w.shape, y, conv, d);
  const float nothing = 0;
  lib.check(lib.ConvolutionForward(lib.handle, &kOne, d.x(), x.data, d.w(), w.data, d.conv(),
                                   static_cast<cudnnConvolutionFwdAlgo_t>(choice.algorithm),
                                   scratch(choice.bytes), choice.bytes, &nothing, d.y(), y.data),
            "cudnnConvolutionForward");
  if (epilogue.bias != nullptr)
    lib.check(lib.AddTensor(lib.handle, &kOne, d.bias(), epilogue.bias, &kOne, d.y(), y.data),
              "cudnnAddTensor");
  if (epilogue.relu)
    lib.check(
        lib.ActivationForward(lib.handle, lib.relu, &kOne, d.y(), y.data, &nothing, d.y(), y.data),
        "cudnnActivationForward");
}

void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write) {
  if (dx.shape.n == 0) return;
  const Cudnn& lib = cudnn();
  const Description d(ctx, dx, w.shape, dy, conv);
  const Choice choice = remembered(Pass::backward_data, ctx, dx, w.shape, dy, conv, d);
  const float beta = before(write);
  lib.check(
      lib.ConvolutionBackwardData(lib.handle, &kOne, d.w(), w.data, d.y(), dy.data, d.conv(),
                                  static_cast<cudnnConvolutionBwdDataAlgo_t>(choice.algorithm),
                                  scratch(choice.bytes), choice.bytes, &beta, d.x(), dx.data),
      "cudnnConvolutionBackwardData");
}

void conv2d_backward_filter(const Context& ctx, View dw, ConstView dy, ConstView x, Conv2d conv,
                            Write write) {
  // cuDNN refuses an empty batch; ours writes zeros for it.
  if (x.shape.n == 0) return cuda::conv2d_backward_filter(ctx, dw, dy, x, conv, write);
  const Cudnn& lib = cudnn();
  const Description d(ctx, x, dw.shape, dy, conv);
  const Choice choice = remembered(Pass::backward_filter, ctx, x, dw.shape, dy, conv, d);
  const float beta = before(write);
  lib.check(
      lib.ConvolutionBackwardFilter(lib.handle, &kOne, d.x(), x.data, d.y(), dy.data, d.conv(),
                                    static_cast<cudnnConvolutionBwdFilterAlgo_t>(choice.algorithm),
                                    scratch(choice.bytes), choice.bytes, &beta, d.w(), dw.data),
      "cudnnConvolutionBackwardFilter");
}

}  // namespace twinage::vendor

#else

namespace twinage::vendor {

std::string cudnn_problem() {
  return "[cudnn] this build has none: CUDA and cudnn.h were not there when it was made";
}
Index conv2d_workspace(const Context&, Shape, Shape, Conv2d) {
  fail("{}", cudnn_problem());
}
void conv2d_forward(const Context&, View, ConstView, ConstView, Conv2d, ConvEpilogue) {
  fail("{}", cudnn_problem());
}
void conv2d_backward_data(const Context&, View, ConstView, ConstView, Conv2d, Write) {
  fail("{}", cudnn_problem());
}
void conv2d_backward_filter(const Context&, View, ConstView, ConstView, Conv2d, Write) {
  fail("{}", cudnn_problem());
}

}  // namespace twinage::vendor
#endif
