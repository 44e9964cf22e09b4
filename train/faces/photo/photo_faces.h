// Photographs in, faces as pictures out: what `crop` writes and `predict --photo` reads.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/faces/face_dataset.h"
#include "train/faces/photo/face_finder.h"

namespace twinage {

struct CroppedFace {
  PhotoFace face;
  Similarity crop;
  double outside = 0;  // share_outside
  std::shared_ptr<const std::vector<std::byte>> jpeg;
};

struct PhotoFaces {
  std::string path;
  std::vector<CroppedFace> faces;  // the largest first
  std::string fault;               // why the photograph could not be read; else empty
};

class PhotoCropper {
 public:
  // Crops of `side` pixels.
  PhotoCropper(const FinderOptions& options, const CropRule& rule, Index side);

  // Faces of one photograph, given as a file or as bytes.
  PhotoFaces crop(const Face& photo);
  // A picture that is a face already: its largest square in the middle is the crop that the rule
  // would cut. Needs no detector.
  static PhotoFaces recrop(const Face& picture, const CropRule& rule, Index side);

 private:
  FaceFinder finder_;
  CropRule rule_;
  Index side_;
};

// "12 pixels wide": that there is little to read, or that much of it is beyond the photograph;
// empty where neither is so.
std::string crop_remark(const CroppedFace& face);

}  // namespace twinage
