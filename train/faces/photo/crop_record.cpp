#include "train/faces/photo/crop_record.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"

namespace twinage {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kLooked = 240;  // pixels of the square: boxes from a third of it on
constexpr double kBeyond = 0.25;

// Linear between the sorted values, as NumPy's default.
double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The detector's boxes come in steps: a mean lies between them, a median does not. It is within the
// range of all but very odd sets.
CropRecord::Range range_of(const std::vector<double>& values) {
  const double low = quantile(values, 0.005), high = quantile(values, 0.995);
  return {low, std::clamp(mean(values), low, high), high};
}

Image picture_of(const Face& face) {
  return face.picture ? decode_image(*face.picture, face.path) : read_image(face.path);
}

Json json_of(const CropRecord::Range& range) {
  return Json::array({range.low, range.mean, range.high});
}

CropRecord::Range range_from(const Json& json) {
  const CropRecord::Range range{json.at(0).get<double>(), json.at(1).get<double>(),
                                json.at(2).get<double>()};
  require(range.low <= range.mean && range.mean <= range.high, "a range is not in order");
  return range;
}

}  // namespace

std::optional<FacePlace> face_place(const Image& picture, FaceDetector& detector) {
  const auto side = static_cast<double>(std::min(picture.width, picture.height));
  const double scale = side / kLooked, beyond = kBeyond * kLooked;
  const Similarity square{scale, 0,
                          0.5 * (static_cast<double>(picture.width) - side) - beyond * scale,
                          0.5 * (static_cast<double>(picture.height) - side) - beyond * scale};
  const Image looked_at =
      cut(picture, square, static_cast<Index>(std::lround(kLooked + 2 * beyond)));
  const std::vector<FaceBox> boxes = detector.find(looked_at, 0);
  const auto largest = std::ranges::max_element(boxes, {}, &FaceBox::side);
  if (largest == boxes.end()) return std::nullopt;
  const auto share = [&](Spot spot) {
    return Spot{(spot.x - beyond) / kLooked, (spot.y - beyond) / kLooked};
  };
  FacePlace place{largest->side / kLooked, share(largest->centre), std::nullopt};
  if (const auto eyes = detector.eyes(looked_at, *largest))
    place.eyes = Eyes{share(eyes->left), share(eyes->right)};
  return place;
}

CropRule CropRecord::rule() const {
  CropRule rule;
  rule.box = box.mean;
  rule.centre = {x.mean, y.mean};
  if (eyes) rule.eyes = *eyes;
  return rule;
}

CropRecord measure_crops(const std::vector<Face>& faces, Index most, const DetectorOptions& options,
                         int threads, const std::function<void(Index, Index)>& progress) {
  require(!faces.empty(), "[crop] there is no face to measure");
  const auto all = static_cast<Index>(faces.size());
  const Index count = std::min(all, most);
  std::vector<std::unique_ptr<FaceDetector>> detectors;
  for (int i = 0; i < std::max(1, threads); ++i)
    detectors.push_back(std::make_unique<FaceDetector>(options));
  std::vector<std::optional<FacePlace>> places(static_cast<std::size_t>(count));
  parallel_for(std::max(1, threads), count, [&](Index i, int thread) {
    const Face& face = faces[static_cast<std::size_t>(i * all / count)];
    try {
      places[static_cast<std::size_t>(i)] =
          face_place(picture_of(face), *detectors[static_cast<std::size_t>(thread)]);
    } catch (const ImageError&) {
    }
    if (progress && thread == 0) progress(i + 1, count);
  });
  CropRecord record;
  record.looked_at = count;
  std::vector<double> box, x, y, eyes[4];
  for (const auto& place : places) {
    if (!place) continue;
    box.push_back(place->box);
    x.push_back(place->centre.x);
    y.push_back(place->centre.y);
    if (!place->eyes) continue;
    const Eyes& e = *place->eyes;
    const double numbers[] = {e.left.x, e.left.y, e.right.x, e.right.y};
    for (int k = 0; k < 4; ++k) eyes[k].push_back(numbers[k]);
  }
  record.found = static_cast<Index>(box.size());
  require(
      2 * record.found >= count && record.found > 0,
      "[crop] a face was found in {} of {} pictures: they are no crops of frontal faces, or too "
      "small to tell",
      record.found, count);
  record.box = range_of(box);
  record.x = range_of(x);
  record.y = range_of(y);
  if (!eyes[0].empty())
    record.eyes = Eyes{{mean(eyes[0]), mean(eyes[1])}, {mean(eyes[2]), mean(eyes[3])}};
  return record;
}

std::string unlike_crop(const CropRecord& record, const FacePlace& place) {
  if (record.found < kFacesForCropLimits) return "";
  const double slack = 0.1 * record.box.mean;
  const auto outside = [&](double value, const CropRecord::Range& range) {
    return value < range.low - slack || value > range.high + slack;
  };
  const auto percent = [](double share) { return std::lround(100 * share); };
  std::vector<std::string> what;
  if (outside(place.box, record.box))
    what.push_back(fmt::format("the face takes {} % of its side, there {} to {} %",
                               percent(place.box), percent(record.box.low),
                               percent(record.box.high)));
  if (outside(place.centre.x, record.x) || outside(place.centre.y, record.y))
    what.push_back(fmt::format("its middle is at ({}, {}) %, there at ({}, {}) %",
                               percent(place.centre.x), percent(place.centre.y),
                               percent(record.x.mean), percent(record.y.mean)));
  if (what.empty()) return "";
  return fmt::format("cropped unlike the faces of training ({}): try --photo",
                     fmt::join(what, "; "));
}

std::string to_json(const CropRecord& record) {
  Json json = {{"format", "twinage-crop-1"},
               {"looked_at", record.looked_at},
               {"found", record.found},
               {"box", json_of(record.box)},
               {"x", json_of(record.x)},
               {"y", json_of(record.y)},
               {"eyes", nullptr}};
  if (const auto& eyes = record.eyes)
    json["eyes"] = {eyes->left.x, eyes->left.y, eyes->right.x, eyes->right.y};
  return json.dump();
}

CropRecord crop_record_from_json(const std::string& text, const std::string& source) {
  try {
    const Json json = Json::parse(text);
    require(json.at("format") == "twinage-crop-1", "its format is not twinage-crop-1");
    CropRecord record;
    record.looked_at = json.at("looked_at").get<Index>();
    record.found = json.at("found").get<Index>();
    require(0 < record.found && record.found <= record.looked_at, "its counts make no sense");
    record.box = range_from(json.at("box"));
    record.x = range_from(json.at("x"));
    record.y = range_from(json.at("y"));
    require(record.box.low > 0.01 && record.box.high < 100, "its boxes make no sense");
    if (const Json& e = json.at("eyes"); !e.is_null()) {
      record.eyes = Eyes{{e.at(0).get<double>(), e.at(1).get<double>()},
                         {e.at(2).get<double>(), e.at(3).get<double>()}};
      require(std::fabs(record.eyes->right.x - record.eyes->left.x) > 0.01, "its eyes are one");
    }
    return record;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    fail("[crop] {} is no record of how faces were cropped: {}", source, error.what());
  }
}

std::optional<CropRecord> crop_record_beside(const std::filesystem::path& faces) {
  const std::filesystem::path path = faces / kCropFile;
  std::error_code missing;
  if (!std::filesystem::is_directory(faces, missing) || !std::filesystem::exists(path, missing))
    return std::nullopt;
  return crop_record_from_json(read_text_file(path), path.string());
}

}  // namespace twinage
