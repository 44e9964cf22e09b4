// What `predict` says of pictures, in the form that was asked for, a part of them at a time.
#pragma once
#include <string>
#include <vector>

#include "train/faces/photo/photo_faces.h"
#include "train/model/face_reader.h"

namespace twinage {

enum class PredictionForm {
  text,   // for people
  json,   // an array
  jsonl,  // an object a line
  csv,
};

class PredictionWriter {
 public:
  // Prints to standard output; what a form begins with at once. `model` must outlive it.
  // Of photographs: where each face is, as well.
  PredictionWriter(PredictionForm form, const Model& model, bool of_photographs = false);
  // Of pictures that were read together, in the order of `names`, those that could not be read
  // among them; as text, those are named on standard error.
  void write(const std::vector<std::string>& names, const Readings& readings);
  // Of the faces in photographs, in their order; `readings` has all of these faces, one photograph
  // after another.
  void write(const std::vector<PhotoFaces>& photos, const Readings& readings);
  void finish();

  Index pictures() const { return pictures_; }
  Index unreadable() const { return unreadable_; }
  // Why the first of these could not be read.
  const std::string& first_reason() const { return first_reason_; }

 private:
  // `face`: where it was in a photograph, as its face of this number; null: it is the picture.
  void write_one(const Readings& readings, std::size_t i, const CroppedFace* face = nullptr,
                 std::size_t number = 0);
  void write_bad(const Skipped& skipped);
  void begin_one();

  PredictionForm form_;
  const Model& model_;
  bool of_photographs_, any_written_ = false;
  Index pictures_ = 0, unreadable_ = 0;
  std::string first_reason_;
};

}  // namespace twinage
