// What is measured of a finished run, on faces that it never saw (--val).
//
//   mae, median_error    years, by the run's own read-out
//   cs5                  share of faces with an error of at most 5 years
//   coverage             share of true ages inside the 80 % interval
//   gender, gender_from_10           share right of the labelled faces; of those from 10 years on
//   gender_read, gender_read_from_10 the same, of the gender head or, without one, of the probe
//   mae:READOUT, cs5:READOUT         by each read-out that compares
//   mae:READOUT@N                    the same with N references (Measures::references)
//   probe, probe_before  share of genders that a linear probe says right (linear_probe.h), on the
//                        embeddings and on those of the untrained network; probe_chance: one answer
//                        for all
//   neighbours, neighbours_before    share of the 10 nearest other faces within tau years
//                                    (Measures::plane); neighbours_chance: of all other faces
//   steps, best_step, parameters, references, faces, trained_on
#pragma once
#include <atomic>
#include <filesystem>
#include <vector>

#include "core/view.h"
#include "tools/experiments/results.h"
#include "train/model/engine.h"

namespace twinage {

struct MeasureRequest {
  std::filesystem::path run;
  CommonOptions common;  // the faces
  Measures measures;
  EngineOptions engine;
  const std::atomic<bool>* stop = nullptr;  // may be null
};

// Fills figures, curve and points; false: stopped in the middle, and nothing is filled. Throws
// Error where the model cannot be read, and for a figure that is not finite.
bool measure_run(RunResult& result, const MeasureRequest& request);

// The validations of RUN/metrics.jsonl: of --val, or of the held-out faces where there is none.
std::vector<CurvePoint> curve_of(const std::filesystem::path& metrics);

// For each face the k nearest others by their embeddings, z = matrix(faces, width); of the first k
// in distance the share within tau years, over all faces. Of equal distances the first face.
double neighbours_within(ConstView z, std::span<const float> ages, Index k, float tau);
// The same of all pairs.
double pairs_within(std::span<const float> ages, float tau);

// n of `ages.size()` faces, spread over the ages: of the faces in the order of their ages (of equal
// ages in that of their indices) the middle one of each of n equal parts. Ascending indices; all
// of them where there are no more.
std::vector<Index> spread_over_ages(std::span<const float> ages, Index n);

}  // namespace twinage
