// What a model is worth on faces of known age: the figures that `eval` prints and reports draw.
#pragma once
#include <optional>

#include "train/model/face_reader.h"
#include "train/model/metrics.h"
#include "train/model/reading_text.h"

namespace twinage {

struct Evaluation {
  OriginCounts origins;
  Index unlike = 0;  // faces that are unlike those of training
  Metrics all;
  // Of the faces that the model never saw, where there are others too.
  std::optional<Metrics> unseen;
};

// Of at least one face that was read.
Evaluation evaluate(const FaceReader& reader, const Readings& readings);

// "Same class" is answered at the distance that is best on the model's own references, so that
// nothing is fitted to the faces being measured. None where the references make no pairs of both
// kinds, and without embeddings.
std::optional<VerificationOptions> verification_of(const FaceReader& reader);

}  // namespace twinage
