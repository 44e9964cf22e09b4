// A gallery of a run's faces.
#pragma once
#include <span>

#include "siamese/gallery.h"
#include "train/run_faces.h"

namespace twinage {

// `faces`, indices of run.faces, as references; embeddings has a row for each, or is empty where
// the network has no embedding. Who else was trained on or held out is known by its content.
Gallery gallery_of(const RunFaces& run, std::span<const Index> faces, Tensor embeddings);

std::vector<float> ages_of(const FaceDataset& dataset, std::span<const Index> faces);

}  // namespace twinage
