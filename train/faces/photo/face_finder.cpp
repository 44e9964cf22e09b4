#include "train/faces/photo/face_finder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/parallel.h"

namespace twinage {
namespace {

constexpr double kMostEnlarged = 2;
constexpr double kRadians = std::numbers::pi / 180;

double overlap(const PhotoFace& p, const PhotoFace& q) {  // of the boxes as if upright: their IoU
  const double reach = 0.5 * (p.side + q.side);
  const auto along = [&](double distance) {
    return std::clamp(reach - std::fabs(distance), 0.0, std::min(p.side, q.side));
  };
  const double both = along(p.centre.x - q.centre.x) * along(p.centre.y - q.centre.y);
  return both / (p.side * p.side + q.side * q.side - both);
}

// A face may hardly lie in another, and boxes of neighbouring scales do.
bool is_same(const PhotoFace& p, const PhotoFace& q) {
  const double distance = std::hypot(p.centre.x - q.centre.x, p.centre.y - q.centre.y);
  return overlap(p, q) > 0.3 || distance < 0.35 * std::max(p.side, q.side);
}

// `found`: of one face, the surest first.
PhotoFace merged(const std::vector<PhotoFace>& found) {
  PhotoFace face = found.front();
  double weights = 0, turn = 0;
  for (const PhotoFace& one : found) {
    const double weight = one.confidence * one.confidence;
    weights += weight;
    turn += weight * one.turn;
  }
  face.turn = turn / weights;
  return face;
}

}  // namespace

FaceFinder::FaceFinder(const FinderOptions& options) : options_(options) {
  for (int i = 0; i < std::max(1, options.threads); ++i)
    detectors_.push_back(std::make_unique<FaceDetector>(options.detector));
}

std::vector<PhotoFace> FaceFinder::look(const Image& small, double turn,
                                        FaceDetector& detector) const {
  const double c = std::cos(turn * kRadians), s = std::sin(turn * kRadians);
  const auto w = static_cast<double>(small.width), h = static_cast<double>(small.height);
  const double width = std::ceil(w * std::fabs(c) + h * std::fabs(s) - 1e-9);
  const double height = std::ceil(w * std::fabs(s) + h * std::fabs(c) - 1e-9);
  Similarity copy{c, s, 0, 0};  // middle to middle
  const Spot moved = copy.at({0.5 * width, 0.5 * height});
  copy.x = 0.5 * w - moved.x;
  copy.y = 0.5 * h - moved.y;
  const bool upright = turn == 0;
  const Image turned =
      upright ? Image() : cut(small, copy, static_cast<Index>(width), static_cast<Index>(height));
  const Image& picture = upright ? small : turned;
  std::vector<PhotoFace> faces;
  for (const FaceBox& box : detector.find(picture, options_.confidence)) {
    PhotoFace face{copy.at(box.centre), box.side, turn, box.confidence};
    // Beyond the edge of the photograph there is no face.
    if (face.centre.x < 0 || face.centre.y < 0 || face.centre.x > w || face.centre.y > h) continue;
    if (const auto eyes = detector.eyes(picture, box))
      face.eyes = Eyes{copy.at(eyes->left), copy.at(eyes->right)};
    faces.push_back(face);
  }
  return faces;
}

std::vector<PhotoFace> FaceFinder::find(const Image& photo) {
  const auto longer = static_cast<double>(std::max(photo.width, photo.height));
  const double scale = std::max(longer / static_cast<double>(options_.detail), 1 / kMostEnlarged);
  const auto pixels = [&](Index side) {
    return std::max(Index{1}, static_cast<Index>(static_cast<double>(side) / scale));
  };
  const Image small =
      cut(photo, Similarity{scale, 0, 0, 0}, pixels(photo.width), pixels(photo.height));
  std::vector<double> turns{0};
  for (double turn = options_.turn_step; turn <= options_.most_turn; turn += options_.turn_step)
    turns.insert(turns.end(), {-turn, turn});
  std::vector<std::vector<PhotoFace>> looks(turns.size());
  parallel_for(static_cast<int>(detectors_.size()), static_cast<Index>(turns.size()),
               [&](Index i, int thread) {
                 const auto at = static_cast<std::size_t>(i);
                 looks[at] = look(small, turns[at], *detectors_[static_cast<std::size_t>(thread)]);
               });

  std::vector<PhotoFace> found;
  for (const auto& one : looks) found.insert(found.end(), one.begin(), one.end());
  std::ranges::stable_sort(found, std::ranges::greater{}, &PhotoFace::confidence);
  std::vector<std::vector<PhotoFace>> groups;
  for (const PhotoFace& face : found) {
    const auto same =
        std::ranges::find_if(groups, [&](const auto& g) { return is_same(g.front(), face); });
    if (same == groups.end())
      groups.push_back({face});
    else
      same->push_back(face);
  }
  std::vector<PhotoFace> faces;
  for (const auto& group : groups) {
    PhotoFace face = merged(group);
    face.centre = {face.centre.x * scale, face.centre.y * scale};
    face.side *= scale;
    if (face.eyes) {
      for (Spot* eye : {&face.eyes->left, &face.eyes->right})
        *eye = {eye->x * scale, eye->y * scale};
      face.turn = similarity_of({0, 0}, {1, 0}, face.eyes->left, face.eyes->right).turn();
    }
    faces.push_back(face);
  }
  std::ranges::stable_sort(faces, std::ranges::greater{}, &PhotoFace::side);
  return faces;
}

}  // namespace twinage
