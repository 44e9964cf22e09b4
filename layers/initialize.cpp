#include "layers/initialize.h"

#include <cmath>
#include <string_view>

#include "core/error.h"
#include "core/random.h"

namespace twinage {
namespace {

template <class Draw>
void fill_with(Tensor& tensor, Draw draw) {
  std::vector<float> values(static_cast<std::size_t>(tensor.size()));
  for (float& value : values) value = static_cast<float>(draw());
  tensor.copy_from(values.data(), tensor.size());
}

void initialize(Parameter& p, std::uint64_t seed) {
  const std::string_view name = p.name;
  const Shape shape = p.value.shape();
  const double fan_in = static_cast<double>(shape.h * shape.w * shape.c);
  Random random(seed, stream_of(name));
  if (name.ends_with("conv.weight") || p.rectified) {
    const double deviation = std::sqrt(2.0 / fan_in);
    fill_with(p.value, [&] { return deviation * random.normal(); });
  } else if (name.ends_with("bn.weight") || name.ends_with("running_var")) {
    p.value.fill(1);
  } else if (name.ends_with("bias") || name.ends_with("running_mean")) {
    p.value.fill(0);
  } else if (name.ends_with("weight")) {
    const double bound = 1.0 / std::sqrt(fan_in);
    fill_with(p.value, [&] { return random.uniform(-bound, bound); });
  } else {
    fail("[initialize] no rule for a parameter named '{}'", name);
  }
}

}  // namespace

void initialize(const std::vector<Parameter*>& parameters, std::uint64_t seed) {
  for (Parameter* p : parameters) initialize(*p, seed);
}

}  // namespace twinage
