// Faces in, what the heads say of them out: what every use of a trained network begins with.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "siamese/twin_network.h"
#include "train/faces/loader.h"
#include "train/model/engine.h"

namespace twinage {

struct Embedded {
  Tensor z;  // matrix(count, embedding width); empty without an embedding head
  // What the age head says, read: P(age = a years) in column a, matrix(count, kAges), or its number
  // of years, matrix(count, 1) (HeadForm::ages); empty without an age head.
  Tensor ages;
  std::vector<float> female;  // P(gender = 1) [count]; all NaN without a gender head
  Index done = 0;             // of these the first ones; the others are 0
};

// From how far a face is looked at, each time alone and mirrored. Within what training varies:
// docs/recipes.md has what they are good for.
inline constexpr float kZooms[] = {1.0F, 0.95F, 1.06F};

struct EmbedOptions {
  Index batch = 64;
  // z, the probabilities and the ages are means over several looks at a face.
  bool mirror = true;  // it and its mirror image
  bool zooms = true;   // from three distances
  std::function<void(Index done, Index total)> progress;
  // Asked after every batch: whether to leave it at what has been done so far.
  std::function<bool(const Embedded& so_far)> pause;
};

Index count_looks(const EmbedOptions& options);  // the network's runs for one face

// Runs the network in inference mode over the faces of the store named by `faces`, centre-cropped.
// Leaves the network planned for inference. Batches are of a fixed size, so a face's result does
// not depend on its neighbours. Several ranks (Engine::ranks) take a batch each in turn, and all
// have the result: the same bits.
Embedded embed_faces(Engine& engine, TwinNetwork& network, const FaceStore& store,
                     std::span<const Index> faces, const EmbedOptions& options);
// Goes on where `so_far` was paused (or empty: starts), to the same bits as without the pause.
void embed_more(Engine& engine, TwinNetwork& network, const FaceStore& store,
                std::span<const Index> faces, const EmbedOptions& options, Embedded& so_far);

}  // namespace twinage
