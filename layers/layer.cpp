#include "layers/layer.h"

#include "core/error.h"
#include "layers/layers.h"

namespace twinage {

void Layer::prepare(const Context& ctx) {
  for (const auto& part : parts()) part->prepare(ctx);
}

Index Layer::prepared() const {
  Index sum = 0;
  for (const auto& part : parts()) sum += part->prepared();
  return sum;
}

void Layer::freeze(Index count) {
  require(count == 0, "[freeze] '{}' is no chain: none of its parts can be frozen", name_);
}

void Layer::remake(const Context&, View, ConstView) {
  fail("[remake] the output of '{}' cannot be made again", name_);
}

std::vector<Parameter*> Layer::parameters() {
  std::vector<Parameter*> all;
  for (const LayerPtr& part : parts())
    for (Parameter* p : part->parameters()) all.push_back(p);
  return all;
}

void Layer::prefix_names(const std::string& prefix) {
  name_ = name_.empty() ? prefix : prefix + "." + name_;
  for (const LayerPtr& part : parts()) part->prefix_names(prefix);
  if (!parts().empty()) return;
  for (Parameter* p : parameters()) p->name = prefix + "." + p->name;
}

LayerPtr named(const std::string& prefix, LayerPtr layer) {
  layer->prefix_names(prefix);
  return layer;
}

}  // namespace twinage
