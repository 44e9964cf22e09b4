#include "train/model/import/torch_weights.h"

#include "core/error.h"
#include "core/safetensors.h"
#include "train/model/import/published_weights.h"

namespace twinage {
namespace {

bool is_vector(const Shape& s) {
  return s.size() == s.c;
}

}  // namespace

void write_torch_weights(TwinNetwork& network, const std::filesystem::path& path) {
  if (!network.preset().backbone.starts_with("inception_v3"))
    throw UsageError(fmt::format(
        "[export] weights for PyTorch are written of Inception v3 alone, not of --preset {}",
        network.preset().name));
  const std::vector<Parameter*> tower = network.tower_parameters();
  const std::vector<std::vector<float>> values = exported_tower(tower);
  SafetensorsWriter writer;
  for (std::size_t i = 0; i < tower.size(); ++i) {
    const Shape s = tower[i]->value.shape();
    writer.add(tower[i]->name, values[i],
               is_vector(s) ? std::vector<Index>{s.c} : std::vector<Index>{s.n, s.c, s.h, s.w});
    const std::string& name = tower[i]->name;
    if (!name.ends_with(".running_var")) continue;
    const std::int64_t batches = 0;  // not counted here
    writer.add(name.substr(0, name.rfind('.')) + ".num_batches_tracked", std::span(&batches, 1),
               {});
  }
  const std::vector<Parameter*> all = network.parameters();
  for (std::size_t i = tower.size(); i < all.size(); ++i) {  // the heads: (out, 1, 1, in) and (out)
    const Shape s = all[i]->value.shape();
    std::vector<float> head(static_cast<std::size_t>(s.size()));
    all[i]->value.copy_to(head.data(), s.size());
    // A weight of one output is a matrix, too.
    const bool is_bias = all[i]->name.ends_with(".bias");
    writer.add(all[i]->name, head,
               is_bias ? std::vector<Index>{s.c} : std::vector<Index>{s.n, s.c});
  }
  writer.set_metadata("preset", network.preset().name);
  writer.set_metadata("pixels", "(byte / 255 - 0.5) / 0.5");
  writer.write(path);
}

}  // namespace twinage
