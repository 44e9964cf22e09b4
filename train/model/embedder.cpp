#include "train/model/embedder.h"

#include <algorithm>
#include <limits>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/parallel.h"
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

std::vector<ImageVariation> looks_of(const EmbedOptions& options, Index side, Index size) {
  std::vector<ImageVariation> looks;
  for (const float zoom : kZooms) {
    if (!options.zooms && zoom != 1) continue;
    looks.push_back(look_at_centre(side, size, zoom, false));
    if (options.mirror) looks.push_back(look_at_centre(side, size, zoom, true));
  }
  return looks;
}

// What the heads say of one batch, on the host; of a task without a head: empty.
class BatchOutputs {
 public:
  BatchOutputs(const TwinNetwork& network, Index batch) {
    for (const Task task : kTasks) {
      if (!network.has(task)) continue;
      read_[task] = network.form(task).read;
      outputs_[task] = Tensor(matrix(batch, network.width(task)));
      if (read_[task] != nullptr) said_[task] = Tensor(matrix(batch, network.said(task)));
    }
  }
  // outputs: of the engine's device.
  void receive(const Engine& engine, const TwinNetwork::Outputs& outputs) {
    for (const Task task : kTasks) {
      Tensor& of_task = outputs_[task];
      if (of_task.empty()) continue;
      copy_bytes(of_task.data(), Device::cpu, outputs[task].data, engine.context().device,
                 of_task.bytes());
      if (read_[task] != nullptr)
        read_[task](engine.host_context(), said_[task].view(), of_task.view());
    }
  }
  // The rows of the result become sums of nothing.
  void clear(Embedded& result, Index first, Index rows) const {
    for (Tensor* sums : {&result.z, &result.ages})
      if (!sums->empty()) std::fill_n(sums->view().pixel(first), rows * sums->shape().c, 0.0F);
    if (!said(Task::gender).empty())
      std::fill_n(&result.female[static_cast<std::size_t>(first)], rows, 0.0F);
  }
  // Adds `share` of the first `rows` faces to the rows of the result from `first` on.
  void add_to(Embedded& result, Index first, Index rows, float share) const {
    add(result.z, said(Task::embedding), first, rows, share);
    add(result.ages, said(Task::age), first, rows, share);
    const Tensor& genders = said(Task::gender);
    if (genders.empty()) return;
    for (Index i = 0; i < rows; ++i)
      result.female[static_cast<std::size_t>(first + i)] += share * genders.view().pixel(i)[1];
  }

 private:
  const Tensor& said(Task task) const {
    return read_[task] != nullptr ? said_[task] : outputs_[task];
  }
  static void add(Tensor& sums, const Tensor& values, Index first, Index rows, float share) {
    for (Index i = 0; i < rows && !values.empty(); ++i) {
      float* sum = sums.view().pixel(first + i);
      const float* value = values.view().pixel(i);
      for (Index c = 0; c < values.shape().c; ++c) sum[c] += share * value[c];
    }
  }

  ByTask<Tensor> outputs_;  // as the network has them
  ByTask<Tensor> said_;     // of those that have to be read
  ByTask<void (*)(const Context&, View, ConstView)> read_{};
};

// Of what the network says of so many faces; of a task without a head that of an empty tensor.
Shape shape_of(const TwinNetwork& network, Task task, std::size_t count) {
  if (!network.has(task)) return Tensor().shape();
  return matrix(static_cast<Index>(count), network.said(task));
}

Embedded nothing_of(const TwinNetwork& network, std::size_t count) {
  Embedded result;
  if (network.has(Task::embedding)) result.z = Tensor(shape_of(network, Task::embedding, count));
  if (network.has(Task::age)) result.ages = Tensor(shape_of(network, Task::age, count));
  const float unknown = std::numeric_limits<float>::quiet_NaN();
  result.female.assign(count, network.has(Task::gender) ? 0.0F : unknown);
  return result;
}

// After this all ranks have the rows of a round, which begins where the result is done.
void share_round(const Ranks& ranks, Embedded& result, Index batch) {
  if (ranks.alone()) return;
  const auto count = static_cast<Index>(result.female.size());
  const auto share = [&](float* rows, Index width) {
    std::vector<std::size_t> bytes;
    for (Index r = 0; r < ranks.size(); ++r) {
      const Index here = std::clamp<Index>(count - result.done - r * batch, 0, batch);
      bytes.push_back(static_cast<std::size_t>(here * width) * sizeof(float));
    }
    ranks.communicator()->gather(rows + result.done * width, bytes);
  };
  for (Tensor* rows : {&result.z, &result.ages})
    if (!rows->empty()) share(rows->data(), rows->shape().c);
  share(result.female.data(), 1);
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
  const auto count = static_cast<Index>(faces.size());
  if (result.done == 0) result = nothing_of(network, faces.size());
  require(result.z.shape() == shape_of(network, Task::embedding, faces.size()) &&
              result.ages.shape() == shape_of(network, Task::age, faces.size()) &&
              result.female.size() == faces.size() && result.done >= 0 && result.done <= count,
          "[embed_faces] expected to go on with {} faces of this network, got embeddings {}, ages "
          "{} and {} genders with {} done",
          count, result.z.shape(), result.ages.shape(), result.female.size(), result.done);
  if (result.done == count) return;
  const Index batch = std::min(options.batch, count), side = network.preset().input;
  engine.plan(network, batch, Mode::eval);
  const Context& ctx = engine.context();
  FaceInput input(engine, batch, store.side(), side);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(batch) * store.bytes_of_face());
  std::vector<ImageVariation> variations(static_cast<std::size_t>(batch));
  BatchOutputs outputs(network, batch);
  const std::vector<ImageVariation> looks = looks_of(options, store.side(), side);
  const float share = 1.0F / static_cast<float>(looks.size());

  const Ranks& ranks = engine.ranks();
  // Every look at every batch is a forward pass; of few faces there are none for the last ranks.
  if (result.done + ranks.rank() * batch < count) network.prepare(ctx);
  while (result.done < count) {
    // A round: a batch for each rank, the last ones less or nothing.
    const Index first = std::min(count, result.done + ranks.rank() * batch);
    const Index here = std::min(batch, count - first);
    const auto chosen =
        faces.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(here));
    ranks.together([&] { gather_pixels(ctx, pixels, store, chosen); });
    outputs.clear(result, first, here);
    for (const ImageVariation& look : looks) {
      if (here == 0) break;
      std::ranges::fill(variations, look);
      input.send(pixels, variations);
      input.receive();
      input.normalize();
      outputs.receive(engine, network.forward(ctx, input.images(), Mode::eval));
      outputs.add_to(result, first, here, share);
    }
    share_round(ranks, result, batch);
    result.done = std::min(count, result.done + ranks.size() * batch);
    if (options.progress) options.progress(result.done, count);
    if (options.pause && result.done < count && options.pause(result)) return;
  }
}

}  // namespace twinage
