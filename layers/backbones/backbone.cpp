#include "layers/backbones/backbone.h"

#include <algorithm>
#include <span>

#include "core/enum_names.h"
#include "core/error.h"
#include "layers/backbones/alexnet.h"
#include "layers/backbones/densenet.h"
#include "layers/backbones/inception_v3.h"
#include "layers/backbones/mobilenet.h"
#include "layers/backbones/ssr.h"

namespace twinage {
namespace {

struct Backbone {
  std::string_view name;
  Stage (*make)(const Preset& preset);
};

constexpr Backbone kBackbones[] = {
    {"inception_v3", inception_v3},
    {"inception_v3_compact", inception_v3_compact},
    {"alexnet", alexnet},
    {"alexnet_bn", alexnet_bn},
    {"mobilenet", mobilenet},
    {"densenet121", densenet121},
    {"ssr", ssr},
};

std::span<const Preset> presets() {
  static const Preset rows[] = {
      {"tiny", "inception_v3_compact", 72, 80, 0.25, 64, ""},
      {"small", "inception_v3", 128, 142, 0.5, 64, ""},
      {"v3", "inception_v3", 299, 332, 1.0, 8, "the paper's"},
      {"alexnet", "alexnet", 224, 249, 1.0, 64, "Krizhevsky's"},
      {"alexnet-tiny", "alexnet", 112, 124, 0.5, 64, ""},
      {"alexnet-tiny-bn", "alexnet_bn", 112, 124, 0.5, 64, ""},
      {"mobilenet", "mobilenet", 224, 249, 1.0, 32, "Howard's"},
      {"mobilenet-tiny", "mobilenet", 72, 80, 1.0, 64, ""},
      {"densenet", "densenet121", 224, 249, 1.0, 16, "Huang's 121"},
      {"densenet-tiny", "densenet121", 72, 80, 0.5, 64, ""},
      {"ssr", "ssr", 64, 71, 1.0, 64, "SSR-Net's streams"},
  };
  return rows;
}

template <class Row>
std::vector<std::string> names_in(std::span<const Row> rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

template <class Row>
const Row& find_in(std::span<const Row> rows, std::string_view what, std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row;
  fail_unknown_name(what, names_in(rows), name);
}

}  // namespace

Preset preset(std::string_view name) {
  return find_in(presets(), "preset", name);
}

std::vector<std::string> preset_names() {
  return names_in(presets());
}

std::string preset_choices() {
  std::vector<std::string> choices;
  for (const Preset& p : presets())
    choices.push_back(
        fmt::format("{} ({} px{}{})", p.name, p.input, p.note.empty() ? "" : ", ", p.note));
  return listed(choices);
}

Stage tower(const Preset& preset) {
  return find_in(std::span<const Backbone>(kBackbones), "backbone", preset.backbone).make(preset);
}

std::vector<std::string> backbone_names() {
  return names_in(std::span<const Backbone>(kBackbones));
}

bool is_freeze(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text == "none" || text == "stem" ||
         (!text.empty() && text.size() <= 4 && text[0] != '0' &&
          std::ranges::all_of(text, is_digit));
}

Index frozen_parts(const Layer& tower, std::string_view freeze) {
  if (!is_freeze(freeze))
    throw UsageError(fmt::format(
        "[freeze] expected none, stem or how many blocks (1, 2, ...), got '{}'", freeze));
  if (freeze == "none") return 0;
  const auto parts = tower.parts();
  const bool compound =
      std::ranges::any_of(parts, [](const LayerPtr& part) { return !part->parts().empty(); });
  std::vector<Index> blocks;  // their places
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (compound ? !parts[i]->parts().empty() : !parts[i]->parameters().empty())
      blocks.push_back(static_cast<Index>(i));
  if (freeze == "stem") {
    if (!compound)
      throw UsageError("[freeze] this tower has no stem: say how many of its layers, 1, 2, ...");
    return blocks.front();
  }
  const auto count = static_cast<std::size_t>(std::stoul(std::string(freeze)));
  if (count > blocks.size())
    throw UsageError(fmt::format("[freeze] expected at most {} blocks of this tower, got {}",
                                 blocks.size(), count));
  return blocks[count - 1] + 1;
}

}  // namespace twinage
