#include "train/model/import/published_weights.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "kernels/normalize_images/normalize_images.h"

namespace twinage {
namespace {

constexpr const char* kParallel = "module.";  // of torch.nn.DataParallel

// K C R S to K R S C: shape is ours.
std::vector<float> channels_last(const std::vector<float>& values, const Shape& shape) {
  std::vector<float> turned(values.size());
  std::size_t i = 0;
  for (Index k = 0; k < shape.n; ++k)
    for (Index c = 0; c < shape.c; ++c)
      for (Index r = 0; r < shape.h; ++r)
        for (Index s = 0; s < shape.w; ++s)
          turned[static_cast<std::size_t>(((k * shape.h + r) * shape.w + s) * shape.c + c)] =
              values[i++];
  return turned;
}

// And back.
std::vector<float> channels_first(const std::vector<float>& values, const Shape& shape) {
  std::vector<float> turned(values.size());
  std::size_t i = 0;
  for (Index k = 0; k < shape.n; ++k)
    for (Index c = 0; c < shape.c; ++c)
      for (Index r = 0; r < shape.h; ++r)
        for (Index s = 0; s < shape.w; ++s)
          turned[i++] =
              values[static_cast<std::size_t>(((k * shape.h + r) * shape.w + s) * shape.c + c)];
  return turned;
}

bool fits(const std::vector<Index>& theirs, const Shape& ours) {
  if (theirs.size() == 4) return theirs == std::vector<Index>{ours.n, ours.c, ours.h, ours.w};
  return theirs.size() == 1 && theirs[0] == ours.size() && ours.c == ours.size();
}

void check_numbers(const TensorFile& file, const std::string& name,
                   const std::vector<float>& values) {
  const bool variance = name.ends_with("running_var");
  for (const float value : values)
    require(std::isfinite(value) && !(variance && value < 0),
            "[weights] {}: '{}' holds {}: the file is damaged", file.path().string(), name, value);
}

using Loaded = std::vector<std::vector<float>>;

Loaded read_all(const TensorFile& file, std::span<Parameter* const> tower,
                const std::string& prefix) {
  const std::vector<std::string> names = file.names();
  const std::set<std::string> there(names.begin(), names.end());
  Loaded loaded;
  for (const Parameter* p : tower) {
    const std::string name = prefix + p->name;
    require(there.contains(name),
            "[weights] {} holds no '{}': expected the weights of an Inception v3 by torchvision's "
            "names (it has '{}', for one)",
            file.path().string(), p->name, names.empty() ? "nothing" : names.front());
    const std::vector<Index> theirs = file.shape(name);
    require(fits(theirs, p->value.shape()),
            "[weights] {}: '{}' has the shape ({}), this tower's is {}: published weights have the "
            "whole width, --preset v3",
            file.path().string(), name, fmt::join(theirs, ", "), p->value.shape());
    std::vector<float> values = file.floats(name);
    check_numbers(file, name, values);
    loaded.push_back(theirs.size() == 4 ? channels_last(values, p->value.shape())
                                        : std::move(values));
  }
  return loaded;
}

// s = (byte / 255 - mean) / deviation = gain * ours + shift, colour by colour.
struct ToSource {
  std::array<double, 3> gain{}, shift{};
  explicit ToSource(const SourceScale& scale) {
    for (std::size_t c = 0; c < 3; ++c) {
      const double deviation = static_cast<double>(kPixelWhite) * scale.deviation[c];
      gain[c] = 1 / (static_cast<double>(kPixelScale) * deviation);
      shift[c] =
          (static_cast<double>(kPixelMean) - static_cast<double>(kPixelWhite) * scale.mean[c]) /
          deviation;
    }
  }
};

// The first layer's filters and its norm's mean, by their places in the tower.
struct FirstLayer {
  std::size_t filters = 0, mean = 0;
};
FirstLayer first_layer(std::span<Parameter* const> tower) {
  const auto first = std::ranges::find_if(
      tower, [](const Parameter* p) { return p->value.shape().h > 1 && p->value.shape().c == 3; });
  require(first != tower.end(), "[weights] this tower has no layer on three colours");
  const std::string name = (*first)->name.substr(0, (*first)->name.find('.'));
  const auto mean = std::ranges::find_if(
      tower, [&](const Parameter* p) { return p->name == name + ".bn.running_mean"; });
  require(mean != tower.end(), "[weights] the first layer of this tower has no norm");
  return {static_cast<std::size_t>(first - tower.begin()),
          static_cast<std::size_t>(mean - tower.begin())};
}

// y = W s + ... = (W gain) ours + W shift: the sum of what is added is taken off the norm's mean.
void fold_input(Loaded& loaded, std::span<Parameter* const> tower, const ToSource& to) {
  const FirstLayer first = first_layer(tower);
  std::vector<float>&filters = loaded[first.filters], &means = loaded[first.mean];
  const std::size_t each = filters.size() / means.size();
  for (std::size_t k = 0; k < means.size(); ++k) {
    double added = 0;
    for (std::size_t i = 0; i < each; ++i) {
      float& weight = filters[k * each + i];
      added += static_cast<double>(weight) * to.shift[i % 3];
      weight = static_cast<float>(static_cast<double>(weight) * to.gain[i % 3]);
    }
    means[k] = static_cast<float>(static_cast<double>(means[k]) - added);
  }
}

}  // namespace

ImportedWeights import_tower(const TensorFile& file, std::span<Parameter* const> tower,
                             const SourceScale& scale) {
  const std::vector<std::string> names = file.names();
  const bool parallel = std::ranges::any_of(
      names, [](const std::string& name) { return name.starts_with(kParallel); });
  const std::string prefix = parallel ? kParallel : "";
  Loaded loaded = read_all(file, tower, prefix);
  fold_input(loaded, tower, ToSource(scale));
  ImportedWeights result;
  std::set<std::string> used;
  for (std::size_t i = 0; i < tower.size(); ++i) {
    tower[i]->value.copy_from(loaded[i].data(), static_cast<Index>(loaded[i].size()));
    result.loaded.push_back(tower[i]->name);
    used.insert(prefix + tower[i]->name);
  }
  for (const std::string& name : names)
    if (!used.contains(name)) result.left_out.push_back(name);
  return result;
}

std::vector<std::vector<float>> exported_tower(std::span<Parameter* const> tower,
                                               const SourceScale& scale) {
  Loaded values;
  for (const Parameter* p : tower) {
    values.emplace_back(static_cast<std::size_t>(p->value.size()));
    p->value.copy_to(values.back().data(), p->value.size());
  }
  // The reverse of fold_input, while the colours still run fastest.
  const FirstLayer first = first_layer(tower);
  const ToSource to(scale);
  std::vector<float>&filters = values[first.filters], &means = values[first.mean];
  const std::size_t each = filters.size() / means.size();
  for (std::size_t k = 0; k < means.size(); ++k) {
    double added = 0;
    for (std::size_t i = 0; i < each; ++i) {
      float& weight = filters[k * each + i];
      weight = static_cast<float>(static_cast<double>(weight) / to.gain[i % 3]);
      added += static_cast<double>(weight) * to.shift[i % 3];
    }
    means[k] = static_cast<float>(static_cast<double>(means[k]) + added);
  }
  for (std::size_t i = 0; i < tower.size(); ++i)
    if (tower[i]->value.shape().size() != tower[i]->value.shape().c)
      values[i] = channels_first(values[i], tower[i]->value.shape());
  return values;
}

}  // namespace twinage
