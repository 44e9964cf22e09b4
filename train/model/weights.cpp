#include "train/model/weights.h"

#include <algorithm>
#include <limits>
#include <span>

#include "core/error.h"

namespace twinage {
namespace {

std::vector<Index> extents(const Shape& s) {
  return {s.n, s.h, s.w, s.c};
}

// Throws Error unless a tensor's values make sense under its name.
void check_values(std::span<const float> values, const SafetensorsFile& file,
                  const std::string& name) {
  const bool no_squares = !name.ends_with("running_var") && name.find("mean_square_") == name.npos;
  const float most = std::numeric_limits<float>::max(), least = no_squares ? -most : 0.0F;
  const auto is_good = [&](float v) { return (v >= least) & (v <= most); };
  int bad = 0;  // a sum without a branch: many at once
  for (const float v : values) bad |= is_good(v) ? 0 : 1;
  if (bad == 0) return;
  const auto at = std::ranges::find_if_not(values, is_good);
  fail(
      "[weights] {}: '{}' holds {} at {}, expected {}: the file is damaged, or its training went "
      "wrong",
      file.path().string(), name, *at, at - values.begin(),
      no_squares ? "finite numbers" : "finite numbers of at least 0");
}

std::vector<float> checked_floats(const SafetensorsFile& file, const std::string& name) {
  std::vector<float> values = file.floats(name);
  check_values(values, file, name);
  return values;
}

}  // namespace

void save_tensor(SafetensorsWriter& writer, const std::string& name, const Tensor& tensor) {
  std::vector<float> host(static_cast<std::size_t>(tensor.size()));
  tensor.copy_to(host.data(), tensor.size());
  writer.add(name, host, extents(tensor.shape()));
}

void load_tensor(const SafetensorsFile& file, const std::string& name, Tensor& tensor) {
  const SafetensorsEntry& entry = file.entry(name);
  require(entry.shape == extents(tensor.shape()),
          "[weights] {}: '{}' has the shape ({}), this network expects {}: another preset?",
          file.path().string(), name, fmt::join(entry.shape, ", "), tensor.shape());
  if (tensor.device() == Device::cpu) {  // straight from the file
    const std::span values(tensor.data(), static_cast<std::size_t>(tensor.size()));
    file.read(name, values);
    return check_values(values, file, name);
  }
  const std::vector<float> host = checked_floats(file, name);
  tensor.copy_from(host.data(), static_cast<Index>(host.size()));
}

void save_weights(SafetensorsWriter& writer, const std::vector<Parameter*>& parameters,
                  const std::string& prefix) {
  for (const Parameter* p : parameters) save_tensor(writer, prefix + p->name, p->value);
}

void load_weights(const SafetensorsFile& file, const std::vector<Parameter*>& parameters,
                  const std::string& prefix) {
  for (Parameter* p : parameters) load_tensor(file, prefix + p->name, p->value);
}

void WeightsCopy::take(const std::vector<Parameter*>& parameters) {
  values_.resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor& value = parameters[i]->value;
    values_[i].resize(static_cast<std::size_t>(value.size()));
    value.copy_to(values_[i].data(), value.size());
  }
}

void WeightsCopy::put_back(const std::vector<Parameter*>& parameters) const {
  require(values_.size() == parameters.size(), "[weights] expected a copy of {} tensors, got {}",
          parameters.size(), values_.size());
  for (std::size_t i = 0; i < parameters.size(); ++i)
    parameters[i]->value.copy_from(values_[i].data(), static_cast<Index>(values_[i].size()));
}

void WeightsCopy::save(SafetensorsWriter& writer, const std::vector<Parameter*>& parameters,
                       const std::string& prefix) const {
  for (std::size_t i = 0; i < values_.size(); ++i)
    writer.add(prefix + parameters[i]->name, values_[i], extents(parameters[i]->value.shape()));
}

void WeightsCopy::load(const SafetensorsFile& file, const std::vector<Parameter*>& parameters,
                       const std::string& prefix) {
  values_.clear();
  for (const Parameter* p : parameters) {
    values_.push_back(checked_floats(file, prefix + p->name));
    require(static_cast<Index>(values_.back().size()) == p->value.size(),
            "[weights] {}: '{}{}' has {} values, expected {}", file.path().string(), prefix,
            p->name, values_.back().size(), p->value.size());
  }
}

}  // namespace twinage
