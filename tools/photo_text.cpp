#include "tools/photo_text.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "train/faces/csv.h"

namespace twinage {
namespace {

// Of the box before it is turned.
Spot corner(const PhotoFace& face) {
  return {face.centre.x - face.side / 2, face.centre.y - face.side / 2};
}
double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}

}  // namespace

std::string photo_fields(const CroppedFace& face) {
  const PhotoFace& f = face.face;
  return fmt::format("{:.1f},{:.1f},{:.1f},{:.1f},{:.4f},{:.2f},{:.3f},{}", corner(f).x,
                     corner(f).y, f.side, face.crop.turn(), face.crop.scale(), f.confidence,
                     face.outside, csv_field(crop_remark(face)));
}

void add_photo(nlohmann::ordered_json& json, const CroppedFace& face) {
  const PhotoFace& f = face.face;
  json["box"] = {rounded(corner(f).x, 0.1), rounded(corner(f).y, 0.1), rounded(f.side, 0.1)};
  json["turn"] = rounded(face.crop.turn(), 0.1);
  json["scale"] = rounded(face.crop.scale(), 1e-4);
  json["confidence"] = rounded(f.confidence, 0.01);
  json["beyond"] = rounded(face.outside, 0.001);
  json["remark"] = nullptr;
  if (const std::string remark = crop_remark(face); !remark.empty()) json["remark"] = remark;
}

std::string photo_text(const CroppedFace& face) {
  const PhotoFace& f = face.face;
  return fmt::format(
      "at ({:.0f}, {:.0f}), {:.0f} pixels, turned by {:.0f} degrees, confidence {:.2f}",
      corner(f).x, corner(f).y, f.side, face.crop.turn(), f.confidence);
}

std::string record_text(const CropRecord& record) {
  const auto range = [](const CropRecord::Range& r) {
    return fmt::format("{:.3f} ({:.3f} to {:.3f})", r.mean, r.low, r.high);
  };
  std::string text = fmt::format(
      "a face was found in {} of {} pictures; in sides of the picture, mean (99 % of them):\n"
      "  box     {}\n  middle  {}, {}\n",
      record.found, record.looked_at, range(record.box), range(record.x), range(record.y));
  if (const auto& e = record.eyes)
    text += fmt::format("  eyes    ({:.3f}, {:.3f}) and ({:.3f}, {:.3f})\n", e->left.x, e->left.y,
                        e->right.x, e->right.y);
  return text;
}

}  // namespace twinage
