// What is in a run's embeddings beside the age, and how they lie; and the same of the network
// before its first step, to tell what training brought from what a random network has.
#pragma once
#include <functional>

#include "tools/experiments/measure.h"
#include "train/model/face_reader.h"

namespace twinage {

// Adds to the figures of `result` those of Measures::probe and Measures::plane, and the points.
// progress: as in embed_faces; it may throw to leave. Throws Error where --data has none of the
// model's references any more.
void measure_embeddings(RunResult& result, const MeasureRequest& request, const FaceReader& reader,
                        const Readings& readings,
                        const std::function<void(Index, Index)>& progress);

}  // namespace twinage
