#include "train/faces/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>

#include "core/error.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

constexpr Index kLeastFaces = 2;  // on either side

// Chooses whom to keep apart among people of several faces.
class Splitter {
 public:
  Splitter(const std::vector<Face>& faces, Index wanted)
      : faces_(faces),
        count_(static_cast<Index>(faces.size())),
        wanted_(wanted),
        taken_(faces.size(), false) {
    for (Index i = 0; i < count_; ++i)
      if (!subject_of(i).empty()) faces_of_[subject_of(i)].push_back(i);
    Index people = static_cast<Index>(faces_of_.size());
    for (const Face& face : faces) people += face.subject.empty() ? 1 : 0;
    most_people_ = faces_of_.empty() ? count_ : people / 2;
  }

  Split split(const std::vector<Index>& order) {
    std::vector<Index> passed_over;  // one face of each
    for (const Index i : order) {
      if (is_full()) break;
      if (taken_[static_cast<std::size_t>(i)]) continue;
      if (fits(size_of(i))) {
        take(i);
      } else {
        passed_over.push_back(i);
      }
    }
    std::ranges::stable_sort(passed_over, {}, [&](Index i) { return size_of(i); });
    for (const Index i : passed_over)
      if (held_out() < kLeastFaces && !taken_[static_cast<std::size_t>(i)]) take(i);
    for (Index i = 0; i < count_; ++i)
      if (!taken_[static_cast<std::size_t>(i)]) split_.training.push_back(i);
    std::ranges::sort(split_.held_out);
    return std::move(split_);
  }

 private:
  const std::string& subject_of(Index i) const {
    return faces_[static_cast<std::size_t>(i)].subject;
  }
  Index held_out() const { return static_cast<Index>(split_.held_out.size()); }
  Index size_of(Index i) const {
    return subject_of(i).empty() ? 1 : static_cast<Index>(faces_of_.at(subject_of(i)).size());
  }

  bool is_full() const {
    if (people_ >= most_people_) return true;
    const bool enough_people = faces_of_.empty() || people_ >= 2;
    return held_out() >= wanted_ && enough_people;
  }

  bool fits(Index more) const {
    const Index then = held_out() + more;
    // The second person may be one too many for the number, but one alone judges nothing.
    return 2 * then <= 3 * wanted_ || more == 1 || (people_ == 1 && 5 * then <= 2 * count_);
  }

  void take(Index i) {
    ++people_;
    const std::vector<Index> alone{i};
    for (const Index j : subject_of(i).empty() ? alone : faces_of_.at(subject_of(i))) {
      taken_[static_cast<std::size_t>(j)] = true;
      split_.held_out.push_back(j);
    }
  }

  const std::vector<Face>& faces_;
  Index count_, wanted_;
  std::vector<bool> taken_;
  std::map<std::string, std::vector<Index>> faces_of_;
  Index people_ = 0, most_people_ = 0;  // kept apart
  Split split_;
};

}  // namespace

std::vector<Index> shuffled(Index count, Random random) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

Index held_out_count(Index count, double share, Index most) {
  constexpr Index kEnough = 100, kAtMostOneOf = 5;
  const auto asked = static_cast<Index>(std::llround(share * static_cast<double>(count)));
  return std::clamp<Index>(std::max(asked, std::min(kEnough, count / kAtMostOneOf)), kLeastFaces,
                           most);
}

Split split_faces(const std::vector<Face>& faces, Index held_out, Random random) {
  const auto count = static_cast<Index>(faces.size());
  require(count >= held_out + kLeastFaces,
          "[train] {} usable faces are too few to train on: at least {}", count,
          held_out + kLeastFaces);
  Split split = Splitter(faces, held_out).split(shuffled(count, random));
  require(static_cast<Index>(split.training.size()) >= kLeastFaces &&
              static_cast<Index>(split.held_out.size()) >= kLeastFaces,
          "[train] {} faces are left to train on and {} to judge by, which share no person: more "
          "subjects are needed",
          split.training.size(), split.held_out.size());
  return split;
}

// FNV-1a, 64 bits.
std::uint64_t fingerprint(const std::vector<Face>& faces) {
  std::uint64_t hash = 0xCBF29CE484222325;
  const auto add = [&](const std::string& text) {
    for (const char c : text + '\0') hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  };
  for (const Face& face : faces) {
    add(fs::path(face.path).filename().string());
    add(fmt::format("{} {} {:016x}", face.age, face.gender, face.content));
    add(face.subject);
  }
  return hash;
}

Index gender_labels(const std::vector<Face>& faces, const std::vector<Index>& training) {
  std::array<Index, kGenders> labels{};
  for (const Index i : training)
    if (const std::int32_t gender = faces[static_cast<std::size_t>(i)].gender; gender >= 0)
      ++labels[static_cast<std::size_t>(gender)];
  return std::ranges::min(labels) == 0 ? 0 : labels[0] + labels[1];
}

std::vector<std::string> concerns(const std::vector<Face>& faces,
                                  const std::vector<Index>& training, const Heads& heads) {
  constexpr float kNarrow = 10;          // years
  constexpr std::size_t kVeryFew = 200;  // faces
  std::vector<std::string> lines;
  float youngest = kMaxAge, oldest = 0;
  std::map<std::string, std::size_t> people;
  std::int32_t gender = -1;
  for (const Index i : training) {
    const Face& face = faces[static_cast<std::size_t>(i)];
    youngest = std::min(youngest, face.age);
    oldest = std::max(oldest, face.age);
    if (!face.subject.empty()) ++people[face.subject];
    if (face.gender >= 0) gender = face.gender;
  }
  require(youngest < oldest,
          "[train] all {} faces to train on have the age {:g}: an age cannot be learnt from one; "
          "add faces of other ages",
          training.size(), youngest);
  if (oldest - youngest < kNarrow)
    lines.push_back(fmt::format(
        "the faces to train on are {:g} to {:g} years old: every age read will lie there; add "
        "faces of other ages",
        youngest, oldest));
  if (has(heads, Task::gender) && gender >= 0 && gender_labels(faces, training) == 0)
    lines.push_back(
        fmt::format("all faces to train on whose gender is known are {}: the model will not read "
                    "genders; add faces of the other one to have them read",
                    gender_name(gender)));
  for (const auto& [person, count] : people)
    if (2 * count > training.size())
      lines.push_back(
          fmt::format("{} of the {} faces to train on are of one person ({}): the model will know "
                      "that face and few others; add faces of other people",
                      count, training.size(), person));
  if (training.size() < kVeryFew)
    lines.push_back(fmt::format(
        "only {} faces to train on: expect ages hardly better than one answer for everyone; "
        "thousands are needed to read ages well",
        training.size()));
  return lines;
}

}  // namespace twinage
