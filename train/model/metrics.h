// How well predictions agree with the truth: overall, and for each decade of age, gender and race,
// because a small mean error can hide that children, old people or faces of one origin are guessed
// wrong.
//
//   MAE     mean |error|, years; baseline: the same age, the mean or median of the training faces,
//           for everyone
//   CS(t)   cumulative score: share of faces with |error| <= t years, t = 0, 1, ... 15
//   CA(n)   cumulative accuracy, n = 3, 5, 7: the same as CS(n). Papers write "smaller than n";
//           published code uses <= n, and so does this.
//   verification   given two faces, are their ages within tau years? "Same class" is answered where
//           their embeddings are at most a threshold apart. Half of the pairs are of the same
//           class, so that one answer for all scores 0.5. AUC: the probability that a pair of the
//           same class is nearer than one that is not (ties count one half). Pairs of a group are
//           both of it, so that figures of a narrow group (a decade) are lower by nature.
//
// Estimates are compared unrounded.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/context.h"
#include "core/view.h"
#include "siamese/readouts/age_readout.h"
#include "train/faces/face_dataset.h"
#include "train/model/bootstrap.h"

namespace twinage {

struct Predictions {
  std::span<const AgeEstimate> ages;  // [faces]
  std::span<const float> female;      // probability of label 1 [faces]; empty: no gender is read
  ConstView embeddings;               // matrix(faces, width); without data there is no verification
  bool intervals = true;              // false: the estimates' intervals mean nothing
};

struct VerificationOptions {
  float tau = 3;         // years
  float threshold = 0;   // distance; choose it with best_threshold on calibration faces
  Index pairs = 20'000;  // drawn for each group
  std::uint64_t seed = 1;
};

struct Verification {
  Index pairs = 0;
  double accuracy = 0, auc = 0;
};

// Of fewer faces than this a share says little: of 100 it is good to 8 to 10 points (95 % of the
// time). Such groups are marked.
constexpr Index kFewFaces = 100;

// A share is within [0, 1]; what a group cannot tell is absent.
struct GroupMetrics {
  std::string name;
  Index count = 0;                       // at least 1
  double mae = 0, median_error = 0;      // years
  double bias = 0;                       // mean of estimate - truth, years
  std::array<double, 16> cs{};           // CS(0) to CS(15)
  std::optional<double> interval_share;  // of true ages within the interval
  std::optional<double> interval_width;  // mean, years
  Index gender_labelled = 0;
  std::optional<double> gender_accuracy;     // of the labelled faces
  std::optional<Verification> verification;  // absent where no pair of either class exists
  // Where these may lie by the chance of which faces there are (train/model/bootstrap.h).
  std::optional<Spread> mae_spread, bias_spread, interval_spread, gender_spread;

  bool is_small() const { return count < kFewFaces; }
};

struct Metrics {
  GroupMetrics all;
  // Of faces from 10 years on: younger ones hardly show a gender, and would hide in `all` how well
  // it is read where it can be. Absent where all are younger, or none is.
  std::optional<GroupMetrics> ten_and_older;
  // Groups without a face are left out. By gender and by race: only where some face is labelled;
  // the others then form the group "unknown".
  std::vector<GroupMetrics> by_decade, by_gender, by_race;
  double training_mean = 0, training_median = 0;                // years
  double mae_of_training_mean = 0, mae_of_training_median = 0;  // always this age
  std::optional<VerificationOptions> verification;              // absent without embeddings
};

// training_ages: years of the faces trained on, at least one. race_names: of Face::race, as
// FaceDataset has them. Throws Error where lengths differ, no
// face is given or a prediction is not finite.
Metrics compute_metrics(const Context& ctx, std::span<const Face> faces,
                        const Predictions& predictions, std::span<const float> training_ages,
                        const VerificationOptions& verification,
                        std::span<const std::string> race_names = FaceDataset().race_names);

nlohmann::ordered_json to_json(const Metrics& metrics);
std::string to_table(const Metrics& metrics);  // lines of at most 78 columns

// Pairs of faces with their distance and whether they are of the same class.
struct LabelledDistances {
  std::vector<float> distances;
  std::vector<std::uint8_t> same;  // 0 or 1
};

// `pairs` random pairs, half of them of the same class; empty where there is no pair of either
// class. z is matrix(faces, width), ages years [faces].
LabelledDistances sample_distances(const Context& ctx, ConstView z, std::span<const float> ages,
                                   float tau, Index pairs, std::uint64_t seed);

// The distance t for which "same class where D <= t" is right most often; the least of several.
float best_threshold(const LabelledDistances& pairs);
double verification_accuracy(const LabelledDistances& pairs, float threshold);
double roc_auc(const LabelledDistances& pairs);  // both classes must be present

}  // namespace twinage
