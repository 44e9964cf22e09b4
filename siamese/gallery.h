// Faces of known age, and what is kept of them in a finished model.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "core/tensor.h"
#include "siamese/calibration.h"

namespace twinage {

struct Gallery {
  Tensor embeddings;               // matrix(count, width); empty where the network gives none
  std::vector<float> ages;         // years [count]
  std::vector<std::string> names;  // file names, for "nearest references" [count]
  // Which faces the model knows, by content_hash of their files; 0: unknown. All empty in older
  // models, which cannot recognise a face.
  std::vector<std::uint64_t> contents = {};           // of the references [count]
  std::vector<std::uint64_t> training_contents = {};  // of all faces trained on
  std::vector<std::uint64_t> held_out_contents = {};  // of those that chose and calibrated it

  bool has_embeddings() const { return !embeddings.empty(); }
  bool knows_contents() const { return !contents.empty(); }
  // The references whose content this is, in order.
  std::vector<Index> references_of(std::uint64_t content) const;
};

// What a model had to do with a face before it reads it.
enum class Origin {
  unseen,
  held_out,   // not trained on, but it chose the weights and calibrated the read-out
  trained,    // but no reference
  reference,  // trained on, and it is what others are compared with
  unknown,    // an older model, or a face whose content is not known
};
Origin origin_of(const Gallery& gallery, std::uint64_t content);

// In and out of a model file; names start with "gallery.", "training.", "selection." and
// "calibration.". Contents and what older models lack are optional; so are embeddings and the steps
// of the calibration together, but for the read-outs that need them. Interval factors of read-outs
// that this program does not know are passed over; their widths by age are not there in older
// models, which have one factor for all ages. Both throw Error where the parts do not fit
// together; load leaves its arguments alone then and says that the file is "not a finished Twinage
// model".
void save(SafetensorsWriter& writer, const Gallery& gallery, const Calibration& calibration);
void load(const SafetensorsFile& file, Gallery& gallery, Calibration& calibration);

}  // namespace twinage
