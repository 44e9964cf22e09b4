#include "kernels/dropout/dropout.h"

namespace twinage::naive {

void dropout(const Context&, View y, ConstView x, DropoutRule rule, const DropoutKey* key,
             Write write) {
  const Index channels = x.shape.c;
  for (Index i = 0; i < x.shape.size(); ++i) {
    const Index p = i / channels, c = i % channels;
    const std::uint64_t at = key->first + static_cast<std::uint64_t>(i);
    const Philox4 words = dropout_words(*key, at / 4);
    const double m = words[at % 4] < rule.threshold ? 0 : rule.scale;
    const double product = x.pixel(p)[c] * m;
    y.pixel(p)[c] =
        static_cast<float>(write == Write::accumulate ? y.pixel(p)[c] + product : product);
  }
}

}  // namespace twinage::naive
