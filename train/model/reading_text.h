// What is said of a reading beside its age: what the interval holds, whether the picture is like
// those of training, what the model had to do with it before. In words and as JSON, the same in
// every command.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "train/model/face_reader.h"

namespace twinage {

// "80 %: 28 to 41", or what else its calibration may claim: "no interval: ...".
std::string interval_text(const AgeEstimate& estimate, const Calibration& calibration);
// What the interval is, for all faces: "calibrated on 90 held-out faces to hold 80 %".
std::string claim_text(const IntervalClaim& claim);
nlohmann::ordered_json interval_json(const AgeEstimate& estimate, const Calibration& calibration);
nlohmann::ordered_json claim_json(const IntervalClaim& claim);

// "male (90 %)", or that the model reads none and why.
std::string gender_text(float female, const Model& model);

// Whether its nearest reference is farther away than those of nearly all held-out faces: a grey
// square and a cat have an age read as well. Absent where the model cannot tell.
std::optional<bool> unlike_training(const AgeEstimate& estimate, const Calibration& calibration);
// Empty unless it is.
std::string unlike_text(const AgeEstimate& estimate, const Calibration& calibration);

// That the model was trained on the picture, or chosen with it; empty where it was not.
std::string origin_text(const Face& face, Origin origin, const Gallery& gallery);

// The warnings above, those that apply.
std::vector<std::string> warnings(const Readings& readings, std::size_t i, const Model& model);
// Adds "nearest_distance", "nearest_limit", "unlike_training", "origin" and "crop_warning", null
// where unknown or where nothing is compared.
void add_warnings(nlohmann::ordered_json& json, const Readings& readings, std::size_t i,
                  const Model& model);

// For what only an embedding can do. Throws UsageError where the model's network gives none, naming
// the command, the heads that there are, and what to do.
void require_embedding(const Model& model, std::string_view command);

// What this model cannot tell of any picture, a line each.
std::vector<std::string> shortcomings(const Model& model);

// Faces by their origin.
struct OriginCounts {
  Index faces = 0, references = 0, trained = 0, held_out = 0, unseen = 0, unknown = 0;
};
OriginCounts count_origins(const std::vector<Origin>& origins);
// What figures measured on these faces are worth; empty where the model saw none of them. `trained`
// counts references too.
std::string origins_text(const OriginCounts& counts);
nlohmann::ordered_json origins_json(const OriginCounts& counts);

}  // namespace twinage
