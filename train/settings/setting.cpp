#include "train/settings/setting.h"

#include <algorithm>
#include <cmath>

#include "train/settings/setting_list.h"

namespace twinage {

Allowed anything() {
  return {};
}

Allowed above(double least) {
  return {fmt::format("above {}", least), [=](long double x) { return x > least; }, {}};
}

Allowed at_least(double least) {
  return {fmt::format("at least {}", least), [=](long double x) { return x >= least; }, {}};
}

Allowed from_to(double least, double most) {
  return {fmt::format("{} to {}", least, most),
          [=](long double x) { return x >= least && x <= most; },
          {}};
}

Allowed between(double below, double beyond) {
  return {fmt::format("between {} and {}", below, beyond),
          [=](long double x) { return x > below && x < beyond; },
          {}};
}

Allowed from_below(double least, double beyond) {
  return {fmt::format("{} to below {}", least, beyond),
          [=](long double x) { return x >= least && x < beyond; },
          {}};
}

Allowed even_from(double least) {
  return {fmt::format("even and at least {}", least),
          [=](long double x) { return x >= least && std::fmod(x, 2.0L) == 0; },
          {}};
}

Allowed one_of(std::vector<std::string> names) {
  std::string text = listed(names);
  return {std::move(text), {}, [names = std::move(names)](const std::string& name) {
            return std::ranges::find(names, name) != names.end();
          }};
}

void fail_wrong_type(const std::string& source, const std::string& key, const char* wanted) {
  throw UsageError(fmt::format("[config] {}: {} expects {}", source, key, wanted));
}

void fail_not_allowed(const std::string& key, const std::string& allowed, const std::string& got) {
  throw UsageError(fmt::format("[config] {} must be {}, got {}", key, allowed, got));
}

}  // namespace twinage
