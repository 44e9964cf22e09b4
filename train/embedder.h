// Faces in, embeddings and gender out: what every use of a trained network begins with.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "siamese/twin_network.h"
#include "train/engine.h"
#include "train/loader.h"

namespace twinage {

struct Embedded {
  Tensor z;                   // matrix(count, embedding width)
  std::vector<float> female;  // P(gender = 1) [count]
};

struct EmbedOptions {
  Index batch = 64;
  // z and P(female) are means over several looks at a face.
  bool mirror = true;  // it and its mirror image
  bool zooms = true;   // from three distances
  std::function<void(Index done, Index total)> progress;
};

// Runs the network in inference mode over the faces of the store named by `faces`, centre-cropped.
// Leaves the network planned for inference. Batches are of a fixed size, so a face's result does
// not depend on its neighbours.
Embedded embed_faces(Engine& engine, TwinNetwork& network, const FaceStore& store,
                     std::span<const Index> faces, const EmbedOptions& options);

}  // namespace twinage
