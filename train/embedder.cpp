#include "train/embedder.h"

#include <algorithm>

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

}  // namespace

Embedded embed_faces(Engine& engine, TwinNetwork& network, const FaceStore& store,
                     std::span<const Index> faces, const EmbedOptions& options) {
  const Index count = static_cast<Index>(faces.size()), width = network.embedding_width();
  Embedded result{Tensor(matrix(count, width)), std::vector<float>(faces.size(), 0.0F)};
  if (count == 0) return result;
  const Index batch = std::min(options.batch, count), side = network.preset().input;
  engine.plan(network, batch, Mode::eval);
  const Context& ctx = engine.context();
  Tensor images({batch, side, side, 3}), probabilities(matrix(batch, 2));
  const int passes = options.mirror ? 2 : 1;
  const float share = 1.0F / static_cast<float>(passes);

  for (Index first = 0; first < count; first += batch) {
    const Index here = std::min(batch, count - first);
    const auto chosen =
        faces.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(here));
    for (int pass = 0; pass < passes; ++pass) {
      prepare_batch(ctx, images.view(), store, chosen, pass == 1);
      const auto outputs = network.forward(ctx, images.view(), Mode::eval);
      softmax(ctx, probabilities.view(), outputs.gender);
      for (Index i = 0; i < here; ++i) {
        float* z = result.z.view().pixel(first + i);
        for (Index c = 0; c < width; ++c) z[c] += share * outputs.z.pixel(i)[c];
        result.female[static_cast<std::size_t>(first + i)] +=
            share * probabilities.view().pixel(i)[1];
      }
    }
    if (options.progress) options.progress(first + here, count);
  }
  return result;
}

}  // namespace twinage
