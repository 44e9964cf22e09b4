#include "tools/photo_reader.h"

#include <algorithm>

#include "core/output.h"

namespace twinage {
namespace {

constexpr Index kLeastSide = 200;  // as `crop` has it
constexpr const char* kNone = "no face was found";

}  // namespace

PhotoReader::PhotoReader(const FinderOptions& finder, const Model& model)
    : cropper_(finder, model.crop ? model.crop->rule() : CropRule{},
               std::max(kLeastSide, model.network->preset().load)) {}

void PhotoReader::read(const std::vector<Face>& photos, FaceReader& reader,
                       PredictionWriter& writer, bool say) {
  std::vector<PhotoFaces> found;
  std::vector<Face> faces;
  std::vector<std::string> remarks;
  for (const Face& photo : photos) {
    found.push_back(cropper_.crop(photo));
    const PhotoFaces& one = found.back();
    faces_ += one.faces.size();
    bad_ += one.fault.empty() ? 0 : 1;
    if (say && one.faces.empty())
      note("twinage: {}\n", description({one.path, one.fault.empty() ? kNone : one.fault}));
    for (const CroppedFace& face : one.faces) {
      remarks.push_back(crop_remark(face));
      faces.emplace_back();
      faces.back().path = photo.path;
      faces.back().picture = face.jpeg;
    }
  }
  Readings readings;
  if (!faces.empty()) readings = reader.read_pictures(std::move(faces));
  readings.crops = std::move(remarks);
  writer.write(found, readings);
}

}  // namespace twinage
