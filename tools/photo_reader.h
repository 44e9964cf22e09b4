// Reads the faces of photographs: finds them, cuts each out as the model's training faces were, and
// reads that.
#pragma once
#include <vector>

#include "tools/prediction_writer.h"
#include "train/faces/photo/photo_faces.h"
#include "train/model/face_reader.h"

namespace twinage {

class PhotoReader {
 public:
  // The crop is as wide as the network takes, at least 200 pixels, as that of `crop`; where the
  // model does not say how its training faces were cropped, it is UTKFace's.
  PhotoReader(const FinderOptions& finder, const Model& model);

  // All faces of `photos` are read together; the writer gets the photographs in their order. With
  // `say` a photograph without a face, or that cannot be read, is said on stderr.
  void read(const std::vector<Face>& photos, FaceReader& reader, PredictionWriter& writer,
            bool say);

  std::size_t faces() const { return faces_; }  // so far
  Index bad() const { return bad_; }            // photographs that could not be read

 private:
  PhotoCropper cropper_;
  std::size_t faces_ = 0;
  Index bad_ = 0;
};

}  // namespace twinage
