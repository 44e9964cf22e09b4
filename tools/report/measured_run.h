// A run's model and what it reads from faces of known age: what the figures of a report are of.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "tools/evaluation.h"

namespace twinage {

struct MeasuredRun {
  std::string name;  // of the run
  std::string data;  // where the faces are
  std::unique_ptr<FaceReader> reader;
  Readings readings;
  OriginCounts origins;
  // The faces that the figures are of, ascending: those that the model never saw, or all where it
  // saw every one of them.
  std::vector<Index> shown;
  Metrics metrics;   // of those
  Index unlike = 0;  // faces, of all, that are unlike those of training

  bool has_embeddings() const { return !readings.embedded.z.empty(); }
  bool has_intervals() const {
    return reader->model().calibration.claim().kind != IntervalClaim::Kind::none;
  }
  const Face& face(Index i) const { return readings.dataset.faces[static_cast<std::size_t>(i)]; }
  const AgeEstimate& estimate(Index i) const {
    return readings.estimates[static_cast<std::size_t>(i)];
  }
  double error(Index i) const {  // years, estimate - truth
    return static_cast<double>(estimate(i).age) - static_cast<double>(face(i).age);
  }
  bool inside(Index i) const {
    return estimate(i).low <= face(i).age && face(i).age <= estimate(i).high;
  }
};

// Reads the faces with the reader's model; copies count once. progress(done, total) as in
// embed_faces. Throws Error where none of them can be read.
MeasuredRun measure(std::string name, std::unique_ptr<FaceReader> reader, FaceDataset faces,
                    std::string data, const std::function<void(Index, Index)>& progress = {});

// The embeddings of the faces that are shown, in their order; empty without an embedding.
Tensor shown_embeddings(const MeasuredRun& run);

}  // namespace twinage
