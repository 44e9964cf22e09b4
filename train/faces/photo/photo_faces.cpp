#include "train/faces/photo/photo_faces.h"

#include <algorithm>

namespace twinage {
namespace {

constexpr int kQuality = 95;
constexpr double kMuchOutside = 0.25;

CroppedFace cropped(const Image& photo, const PhotoFace& face, const Similarity& crop, Index side) {
  const Image picture = cut(photo, crop, side);
  return {face, crop, share_outside(photo, crop, side),
          std::make_shared<const std::vector<std::byte>>(encode_jpeg(picture, kQuality))};
}

// `find` is called with the picture; a file that is none has a fault.
template <class Find>
PhotoFaces faces_of(const Face& photo, Find&& find) {
  PhotoFaces result{photo.path, {}, {}};
  try {
    const Image image =
        photo.picture ? decode_image(*photo.picture, photo.path) : read_image(photo.path);
    find(image, result.faces);
  } catch (const ImageError& error) {
    result.fault = error.reason;
  } catch (const Error& error) {  // a file that cannot be read
    if (photo.picture) throw;
    result.fault = error.what();
  }
  return result;
}

}  // namespace

PhotoCropper::PhotoCropper(const FinderOptions& options, const CropRule& rule, Index side)
    : finder_(options), rule_(rule), side_(side) {}

PhotoFaces PhotoCropper::crop(const Face& photo) {
  return faces_of(photo, [&](const Image& image, std::vector<CroppedFace>& faces) {
    for (const PhotoFace& face : finder_.find(image))
      faces.push_back(cropped(image, face, crop_of(face, rule_, side_), side_));
  });
}

PhotoFaces PhotoCropper::recrop(const Face& picture, const CropRule& rule, Index side) {
  return faces_of(picture, [&](const Image& image, std::vector<CroppedFace>& faces) {
    PhotoFace face{
        {0.5 * static_cast<double>(image.width), 0.5 * static_cast<double>(image.height)},
        static_cast<double>(std::min(image.width, image.height)),
        0,
        0};
    faces.push_back(cropped(image, face, crop_of(face, rule, side), side));
  });
}

std::string crop_remark(const CroppedFace& face) {
  if (face.face.side < kSmallFace)
    return fmt::format("a small face, {:.0f} pixels wide: there is little to read", face.face.side);
  if (face.outside > kMuchOutside)
    return fmt::format("{:.0f} % of the crop lie beyond the photograph", 100 * face.outside);
  return "";
}

}  // namespace twinage
