// How the faces of a training were cropped: where the detector finds the face in them. It goes into
// the model, so that photographs can be cropped alike and a picture that is not can be told.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/faces/face_dataset.h"
#include "train/faces/photo/face_detector.h"

namespace twinage {

// Where one picture has its face, in sides of the square that its centre is.
struct FacePlace {
  double box = 0;  // side of the box
  Spot centre;
  std::optional<Eyes> eyes;
};

// The largest box, or nothing. Boxes may reach a quarter of the square beyond it, as they do in
// tight crops, and are at least a third of it.
std::optional<FacePlace> face_place(const Image& picture, FaceDetector& detector);

struct CropRecord {
  struct Range {
    double low = 0, mean = 0, high = 0;  // 0.5 % of the faces are below, and above
  };
  Index looked_at = 0, found = 0;  // pictures; those that a face was found in
  Range box, x, y;                 // FacePlace::box and centre
  std::optional<Eyes> eyes;        // means

  CropRule rule() const;
};

// A record of fewer faces says little of its tails.
constexpr Index kFacesForCropLimits = 100;

// Of at most `most` of the faces, spread evenly; a picture that cannot be read counts as none.
// Throws Error where no face is found in half of them.
CropRecord measure_crops(const std::vector<Face>& faces, Index most,
                         const DetectorOptions& detector, int threads,
                         const std::function<void(Index, Index)>& progress = {});

// In words what is unlike the record, with what the training faces have; empty where nothing is. A
// place is unlike where it lies outside the range by more than a tenth of the box. Records of few
// faces (kFacesForCropLimits) say nothing.
std::string unlike_crop(const CropRecord& record, const FacePlace& place);

// As JSON, one line. Throws Error naming `source` for text that is none.
std::string to_json(const CropRecord& record);
CropRecord crop_record_from_json(const std::string& text, const std::string& source);

// What `twinage crop` writes beside the faces.
inline constexpr const char* kCropFile = "crop.json";
// That of a folder of faces; nothing where there is none. Throws Error for one that makes no sense.
std::optional<CropRecord> crop_record_beside(const std::filesystem::path& faces);

}  // namespace twinage
