// How an operand of a matrix product comes from global into shared memory.
//
//   out[m][n] = sum over l of a(m, l) * b(l, n),   0 <= m < M, 0 <= n < N, 0 <= l < K
//
// A block of threads makes a tile of BM x BN outputs and walks down the depth l in slabs of BK.
// In memory an operand is a number of lines, each of contiguous places. Along a line runs either
// the depth (Major::depth) or the outer index, m or n (Major::outer). A slab keeps that order, so
// that 16 bytes of memory stay 16 bytes of the slab and travel in one asynchronous copy.
//
// What is a line and where it lies is told by a Source. matmul has plain matrices (MatrixSource);
// conv2d has the patches of a picture, which exist nowhere as a matrix (implicit GEMM):
//
//   static constexpr Major kMajor;
//   bool vector;                           whether 4 places from a multiple of 4 are one float4
//   Line line(int i);  Place place(int i); anything that helps to find an address
//   const float* at(Line, Place);          null where the element is 0: outside of the operand
#pragma once
#include "kernels/simt/simt.h"

#if GPU_ARCH < 800
#error "the kernels need a GPU of compute capability 8.0 or newer"
#endif

namespace twinage::TWINAGE_GPU_NAMESPACE {

enum class Major { depth, outer };

constexpr int kProductThreads = 128;

// Whether float4 accesses are allowed: to lines `ld` floats apart and `length` floats long.
inline bool float4_allowed(const float* data, Index ld, Index length) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && ld % 4 == 0 && length % 4 == 0;
}

template <Major major>
struct MatrixSource {
  static constexpr Major kMajor = major;
  using Line = const float*;
  using Place = int;
  const float* data;
  Index ld;
  int lines, length;
  bool vector;

  __device__ Line line(int i) const { return i < lines ? data + i * ld : nullptr; }
  __device__ Place place(int i) const { return i; }
  __device__ const float* at(Line line, Place i) const {
    return line != nullptr && i < length ? line + i : nullptr;
  }
};

// The part of an operand that a block multiplies at a time: BK of the depth, `kOuter` rows or
// columns. The 16 bytes at the end of each line shift the next one to other banks.
template <Major major, int kOuter, int BK, class Element>
struct Slab {
  static constexpr Major kMajor = major;
  static constexpr int kLines = major == Major::depth ? kOuter : BK;
  static constexpr int kPlaces = major == Major::depth ? BK : kOuter;
  static constexpr int kPitch = kPlaces + 16 / static_cast<int>(sizeof(Element));
  Element values[kLines][kPitch];
};

struct alignas(8) FourBfloat16 {
  __nv_bfloat16 values[4];
};

// One thread's share in filling slabs: chunks of 4 places in the same places of every slab.
//
//   fetch(slab, l)   starts to bring the slab at depth l
//   land(slab)       the last thing before a barrier makes it everyone's
//
// float32 is copied by the hardware behind the thread's back (cp.async), and there is nothing to
// land. For bf16 the numbers pass through registers, where they are rounded.
template <class Source, class Slab_, class Element>
class Feed {
  static constexpr bool kDepthMajor = Source::kMajor == Major::depth;
  static constexpr int kChunks = Slab_::kPlaces / 4;  // of a line
  static constexpr int kLinesAtOnce = kProductThreads / kChunks;
  static constexpr int kPasses = Slab_::kLines / kLinesAtOnce;
  static_assert(kProductThreads % kChunks == 0 && Slab_::kLines % kLinesAtOnce == 0);
  static constexpr bool kAsync = sizeof(Element) == sizeof(float);

 public:
  __device__ Feed(const Source& source, int outer)
      : source_(source),
        outer_(outer),
        first_line_(static_cast<int>(threadIdx.x) / kChunks),
        first_place_(static_cast<int>(threadIdx.x) % kChunks * 4) {
    // What does not change from slab to slab is found once.
    if constexpr (kDepthMajor) {
#pragma unroll
      for (int pass = 0; pass < kPasses; ++pass) lines_[pass] = source.line(outer + line(pass));
    } else {
      place_ = source.place(outer + first_place_);
    }
  }

  __device__ void fetch(Slab_& slab, int depth) {
    if constexpr (kDepthMajor) place_ = source_.place(depth + first_place_);
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass) {
      const typename Source::Line from =
          kDepthMajor ? lines_[pass] : source_.line(depth + line(pass));
      const int first = first_place_ + (kDepthMajor ? depth : outer_);
      if constexpr (kAsync)
        copy(&slab.values[line(pass)][first_place_], from, first);
      else
        staged_[pass] = load(from, first);
    }
    if constexpr (kAsync) __pipeline_commit();
  }

  __device__ void land(Slab_& slab) {
    if constexpr (!kAsync) {
#pragma unroll
      for (int pass = 0; pass < kPasses; ++pass) {
        const float4 v = staged_[pass];
        const FourBfloat16 rounded{{__float2bfloat16(v.x), __float2bfloat16(v.y),
                                    __float2bfloat16(v.z), __float2bfloat16(v.w)}};
        gpu::store(&slab.values[line(pass)][first_place_], rounded);
      }
    }
  }

 private:
  __device__ int line(int pass) const {
    return first_line_ + pass * kLinesAtOnce;
  }

  // `first` is the place of the chunk's first element in the whole operand.
  __device__ void copy(float* to, typename Source::Line line, int first) const {
    if (source_.vector) {
      const float* from = source_.at(line, place_);
      if (from != nullptr)
        __pipeline_memcpy_async(to, from, 16);
      else
        gpu::store(to, make_float4(0, 0, 0, 0));
      return;
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float* from = source_.at(line, source_.place(first + i));
      if (from != nullptr)
        __pipeline_memcpy_async(to + i, from, 4);
      else
        to[i] = 0;
    }
  }

  __device__ float4 load(typename Source::Line line, int first) const {
    if (source_.vector) {
      const float* from = source_.at(line, place_);
      return from != nullptr ? gpu::load<float4>(from) : make_float4(0, 0, 0, 0);
    }
    float values[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float* from = source_.at(line, source_.place(first + i));
      values[i] = from != nullptr ? *from : 0;
    }
    return make_float4(values[0], values[1], values[2], values[3]);
  }

  const Source& source_;
  int outer_, first_line_, first_place_;
  typename Source::Line lines_[kDepthMajor ? kPasses : 1];
  typename Source::Place place_;
  float4 staged_[kAsync ? 1 : kPasses];
};

}  // namespace twinage::TWINAGE_GPU_NAMESPACE
