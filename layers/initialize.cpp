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

// Whether it is the weight of a module that is called so, with a number or without: "a.conv.weight"
// and "a.conv2.weight" are of "conv", "conv.0.weight" is not.
bool is_weight_of(std::string_view name, std::string_view module) {
  constexpr std::string_view kEnd = ".weight";
  if (!name.ends_with(kEnd)) return false;
  name.remove_suffix(kEnd.size());
  while (!name.empty() && name.back() >= '0' && name.back() <= '9') name.remove_suffix(1);
  if (!name.ends_with(module)) return false;
  name.remove_suffix(module.size());
  return name.empty() || name.back() == '.';
}

void initialize(Parameter& p, std::uint64_t seed) {
  const std::string_view name = p.name;
  const Shape shape = p.value.shape();
  const double fan_in = static_cast<double>(shape.h * shape.w * shape.c);
  Random random(seed, stream_of(name));
  if (is_weight_of(name, "conv") || p.rectified) {
    const double deviation = std::sqrt(2.0 / fan_in);
    fill_with(p.value, [&] { return deviation * random.normal(); });
  } else if (is_weight_of(name, "bn") || is_weight_of(name, "norm") ||
             name.ends_with("running_var")) {
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
