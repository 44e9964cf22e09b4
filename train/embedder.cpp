#include "train/embedder.h"

#include <algorithm>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace twinage {
namespace {

// Fills images[0 .. faces.size()) with centre-cropped faces.
void prepare_batch(const Context& ctx, View images, const FaceStore& store,
                   std::span<const Index> faces, bool mirror) {
  parallel_for(ctx.threads, static_cast<Index>(faces.size()), [&](Index i, int) {
    Image scratch;
    const auto pixels = store.pixels(faces[static_cast<std::size_t>(i)], scratch);
    prepare_face(images.images(i, 1), pixels, store.side(), AugmentOptions{}, nullptr, mirror);
  });
}

void to_host(Tensor& host, ConstView from, Device device) {
  copy_bytes(host.data(), Device::cpu, from.data, device, host.bytes());
}

}  // namespace

Embedded embed_faces(Engine& engine, TwinNetwork& network, const FaceStore& store,
                     std::span<const Index> faces, const EmbedOptions& options) {
  const Index count = static_cast<Index>(faces.size()), width = network.embedding_width();
  Embedded result{Tensor(matrix(count, width)), std::vector<float>(faces.size(), 0.0F)};
  if (count == 0) return result;
  const Index batch = std::min(options.batch, count), side = network.preset().input;
  engine.plan(network, batch, Mode::eval);
  const Context& ctx = engine.context();
  const bool on_host = ctx.device == Device::cpu;
  Tensor images({batch, side, side, 3}), device_images;
  if (!on_host) device_images = Tensor(images.shape(), ctx.device);
  const ConstView input = on_host ? images.view() : device_images.view();
  Tensor z(matrix(batch, width)), logits(matrix(batch, 2)), probabilities(matrix(batch, 2));
  const int passes = options.mirror ? 2 : 1;
  const float share = 1.0F / static_cast<float>(passes);

  for (Index first = 0; first < count; first += batch) {
    const Index here = std::min(batch, count - first);
    const auto chosen =
        faces.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(here));
    for (int pass = 0; pass < passes; ++pass) {
      prepare_batch(ctx, images.view(), store, chosen, pass == 1);
      if (!on_host) device_images.copy_from(images);
      const auto outputs = network.forward(ctx, input, Mode::eval);
      to_host(z, outputs.z, ctx.device);
      to_host(logits, outputs.gender, ctx.device);
      softmax(engine.host_context(), probabilities.view(), logits.view());
      for (Index i = 0; i < here; ++i) {
        float* sum = result.z.view().pixel(first + i);
        for (Index c = 0; c < width; ++c) sum[c] += share * z.view().pixel(i)[c];
        result.female[static_cast<std::size_t>(first + i)] +=
            share * probabilities.view().pixel(i)[1];
      }
    }
    if (options.progress) options.progress(first + here, count);
  }
  return result;
}

}  // namespace twinage
