#include "train/model/embedder.h"

#include <algorithm>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"
#include "train/faces/augment.h"
#include "train/model/face_input.h"

namespace twinage {
namespace {

// The bytes of these faces, one after the other; behind them stays what was there.
void gather_pixels(const Context& ctx, std::vector<std::uint8_t>& pixels, const FaceStore& store,
                   std::span<const Index> faces) {
  const std::size_t bytes = store.bytes_of_face();
  parallel_for(ctx.threads, static_cast<Index>(faces.size()), [&](Index i, int) {
    const auto at = static_cast<std::size_t>(i);
    Image scratch;
    std::ranges::copy(store.pixels(faces[at], scratch), &pixels[at * bytes]);
  });
}

// Within what training varies: docs/recipes.md has what they are good for.
constexpr float kZooms[] = {1.0F, 0.95F, 1.06F};

std::vector<ImageVariation> looks_of(const EmbedOptions& options, Index side, Index size) {
  std::vector<ImageVariation> looks;
  for (const float zoom : kZooms) {
    if (!options.zooms && zoom != 1) continue;
    looks.push_back(look_at_centre(side, size, zoom, false));
    if (options.mirror) looks.push_back(look_at_centre(side, size, zoom, true));
  }
  return looks;
}

void to_host(Tensor& host, ConstView from, Device device) {
  copy_bytes(host.data(), Device::cpu, from.data, device, host.bytes());
}

}  // namespace

Index count_looks(const EmbedOptions& options) {
  return (options.zooms ? std::ssize(kZooms) : 1) * (options.mirror ? 2 : 1);
}

Embedded embed_faces(Engine& engine, TwinNetwork& network, const FaceStore& store,
                     std::span<const Index> faces, const EmbedOptions& options) {
  Embedded result;
  embed_more(engine, network, store, faces, options, result);
  return result;
}

void embed_more(Engine& engine, TwinNetwork& network, const FaceStore& store,
                std::span<const Index> faces, const EmbedOptions& options, Embedded& result) {
  const Index count = static_cast<Index>(faces.size()), width = network.width(Task::embedding);
  if (result.done == 0)
    result = {Tensor(matrix(count, width)), std::vector<float>(faces.size(), 0.0F), 0};
  require(result.z.shape() == matrix(count, width) && result.done <= count,
          "[embed_faces] expected to go on with {}, got {} with {} done", matrix(count, width),
          result.z.shape(), result.done);
  if (result.done == count) return;
  const Index batch = std::min(options.batch, count), side = network.preset().input;
  engine.plan(network, batch, Mode::eval);
  const Context& ctx = engine.context();
  FaceInput input(engine, batch, store.side(), side);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(batch) * store.bytes_of_face());
  std::vector<ImageVariation> variations(static_cast<std::size_t>(batch));
  Tensor z(matrix(batch, width)), logits(matrix(batch, kGenders)),
      probabilities(matrix(batch, kGenders));
  const std::vector<ImageVariation> looks = looks_of(options, store.side(), side);
  const float share = 1.0F / static_cast<float>(looks.size());

  while (result.done < count) {
    const Index first = result.done;
    const Index here = std::min(batch, count - first);
    const auto chosen =
        faces.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(here));
    gather_pixels(ctx, pixels, store, chosen);
    std::fill_n(result.z.view().pixel(first), here * width, 0.0F);
    std::fill_n(&result.female[static_cast<std::size_t>(first)], here, 0.0F);
    for (const ImageVariation& look : looks) {
      std::ranges::fill(variations, look);
      input.send(pixels, variations);
      input.receive();
      input.normalize();
      const auto outputs = network.forward(ctx, input.images(), Mode::eval);
      to_host(z, outputs[Task::embedding], ctx.device);
      to_host(logits, outputs[Task::gender], ctx.device);
      softmax(engine.host_context(), probabilities.view(), logits.view());
      for (Index i = 0; i < here; ++i) {
        float* sum = result.z.view().pixel(first + i);
        for (Index c = 0; c < width; ++c) sum[c] += share * z.view().pixel(i)[c];
        result.female[static_cast<std::size_t>(first + i)] +=
            share * probabilities.view().pixel(i)[1];
      }
    }
    result.done += here;
    if (options.progress) options.progress(result.done, count);
    if (options.pause && result.done < count && options.pause(result)) return;
  }
}

}  // namespace twinage
