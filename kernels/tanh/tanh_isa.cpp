#include "kernels/tanh/tanh_isa.h"

#include "core/simd.h"

namespace twinage::TWINAGE_ISA_NAMESPACE {
namespace {

// tanh(x) = x * P(x^2) / Q(x^2), the coefficients of Eigen's (MathFunctionsImpl.h, minimax on
// [-7.905, 7.905]); beyond, float32 has
// nothing but 1.
template <class V>
TWINAGE_INLINE typename V::Value tanh_of(typename V::Value x) {
  const auto most = V::all(7.90531110763549805F), least = V::all(-7.90531110763549805F);
  const auto inside = x > most ? most : (x < least ? least : x);  // NaN stays NaN
  const auto square = inside * inside;
  auto p = square * V::all(-2.76076847742355e-16F) + V::all(2.00018790482477e-13F);
  p = square * p + V::all(-8.60467152213735e-11F);
  p = square * p + V::all(5.12229709037114e-08F);
  p = square * p + V::all(1.48572235717979e-05F);
  p = square * p + V::all(6.37261928875436e-04F);
  p = square * p + V::all(4.89352455891786e-03F);
  auto q = square * V::all(1.19825839466702e-06F) + V::all(1.18534705686654e-04F);
  q = square * q + V::all(2.26843463243900e-03F);
  q = square * q + V::all(4.89352518554385e-03F);
  return inside * p / q;
}

void forward(float* y, const float* x, Index count) {
  each_vector(count, [=](auto v, Index i) {
    using V = decltype(v);
    V::store(y + i, tanh_of<V>(V::load(x + i)));
  });
}

void backward(float* dx, const float* dy, const float* y, Index count) {
  each_vector(count, [=](auto v, Index i) {
    using V = decltype(v);
    const auto value = V::load(y + i);
    V::store(dx + i, V::load(dy + i) * (V::all(1) - value * value));
  });
}

}  // namespace

const TanhKernels kTanh = {forward, backward};

}  // namespace twinage::TWINAGE_ISA_NAMESPACE
