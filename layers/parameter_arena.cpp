#include "layers/parameter_arena.h"

#include <utility>

#include <malloc.h>

#include "core/workspace.h"

namespace twinage {
namespace {

// Copies `tensor` to `block` and lets it live there.
void move_into(Tensor& tensor, float* block, Device device) {
  Tensor there(tensor.shape(), block, device);
  there.copy_from(tensor);
  tensor = std::move(there);
}

}  // namespace

void ParameterArena::gather(const std::vector<Parameter*>& parameters, Device device) {
  Index trained = 0, running = 0;
  std::vector<Index> offsets;
  for (const Parameter* p : parameters) {
    Index& size = p->trained ? trained : running;
    if (p->trained) offsets.push_back(size);
    size += workspace_floats(p->value.size());
  }
  Tensor values(vector(trained), device), gradients(vector(trained), device);
  Tensor statistics(vector(running), device);
  float* value = values.data();
  float* gradient = gradients.data();
  float* statistic = statistics.data();
  for (Parameter* p : parameters) {
    const Index size = workspace_floats(p->value.size());
    float*& block = p->trained ? value : statistic;
    move_into(p->value, block, device);
    block += size;
    if (!p->trained) continue;
    move_into(p->grad, gradient, device);
    gradient += size;
  }
  // Only now may the old blocks go: they may be an earlier arena of the same parameters.
  values_ = std::move(values);
  gradients_ = std::move(gradients);
  statistics_ = std::move(statistics);
  offsets_ = std::move(offsets);
  // The old blocks are hundreds of holes between what lives on, which the heap keeps unless asked.
  malloc_trim(0);
}

}  // namespace twinage
