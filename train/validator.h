// Reads ages and genders from faces that were not trained on, while the network is being trained.
#pragma once
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "siamese/gallery.h"
#include "train/model/embedder.h"
#include "train/run_parts.h"

namespace twinage {

struct Validation {
  double mae = 0;              // years
  double gender_accuracy = 0;  // 0 to 1; NaN when no face has a gender label, or no head tells it
};

struct Validations {
  Validation held_out;
  std::optional<Validation> val;  // of --val
};

class Validator {
 public:
  explicit Validator(const RunParts& run) : run_(run) {}

  // With the read-out that its row of the table names for this (ReadoutRow::in_training). Leaves
  // the network planned for inference. Nothing when it was stopped in the middle: to be done anew.
  // Throws FacesLost.
  std::optional<Validations> validate();
  Index faces() const;  // that it runs the network over

 private:
  Embedded embed(const FaceStore& store, std::span<const Index> faces);
  Validation of(const FaceDataset& dataset, const FaceStore& store, std::span<const Index> faces,
                const Gallery& gallery);

  RunParts run_;
};

// "step    200  held-out: MAE 6.10 years, gender 85.0 %", and the record for metrics.jsonl.
std::string to_text(const Validations& validations, std::uint64_t step);
nlohmann::ordered_json to_record(const Validations& validations, std::uint64_t step,
                                 double seconds);

}  // namespace twinage
