#include "train/faces/copies.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "core/content_hash.h"
#include "core/error.h"
#include "core/files.h"
#include "core/parallel.h"
#include "train/faces/pictures/image.h"

namespace twinage {
namespace {

using Group = std::vector<Index>;  // faces of one picture, ascending: by path

// The value that all known ones agree on; `unknown` when they do not, or none is known.
template <class Value>
Value agreed(const FaceDataset& dataset, const Group& group, Value Face::*label, Value unknown) {
  Value common = unknown;
  for (const Index i : group) {
    const Value& value = dataset.faces[static_cast<std::size_t>(i)].*label;
    if (value == unknown) continue;
    if (common != unknown && value != common) return unknown;
    common = value;
  }
  return common;
}

bool persons_differ(const FaceDataset& dataset, const Group& group) {
  std::set<std::string> persons;
  for (const Index i : group) persons.insert(dataset.faces[static_cast<std::size_t>(i)].subject);
  persons.erase("");
  return persons.size() > 1;
}

float median(std::vector<float> ages) {
  std::ranges::sort(ages);
  return (ages[(ages.size() - 1) / 2] + ages[ages.size() / 2]) / 2;
}

// Gives the group's first face the labels of all. False when none is to be kept.
bool merge(FaceDataset& dataset, const Group& group) {
  Copies copies;
  for (const Index i : group) {
    const Face& face = dataset.faces[static_cast<std::size_t>(i)];
    copies.paths.push_back(face.path);
    copies.ages.push_back(face.age);
    copies.genders.push_back(face.gender);
  }
  copies.content = dataset.faces[static_cast<std::size_t>(group.front())].content;
  const auto [least, most] = std::ranges::minmax(copies.ages);
  const bool two_persons = persons_differ(dataset, group);
  copies.left_out = two_persons || most - least > kMaxAgesApart;
  Face& first = dataset.faces[static_cast<std::size_t>(group.front())];
  if (copies.left_out)
    dataset.skipped.push_back(
        {first.path,
         two_persons
             ? "copies of the same picture name different persons"
             : fmt::format("copies of the same picture have ages more than {:g} years apart",
                           kMaxAgesApart)});
  first.age = median(copies.ages);
  first.gender = agreed(dataset, group, &Face::gender, -1);
  first.race = agreed(dataset, group, &Face::race, -1);
  first.subject = agreed(dataset, group, &Face::subject, std::string());
  dataset.copies.push_back(std::move(copies));
  return !dataset.copies.back().left_out;
}

// `same` gives faces of one picture the same key, and none to those that stand for themselves.
template <class Key>
std::vector<Index> merge_by(FaceDataset& dataset, Key Face::*same, const Key& none) {
  std::unordered_map<Key, Group> groups;
  const auto count = static_cast<Index>(dataset.faces.size());
  for (Index i = 0; i < count; ++i)
    if (const Key& key = dataset.faces[static_cast<std::size_t>(i)].*same; key != none)
      groups[key].push_back(i);
  std::vector<Index> stayed;
  for (Index i = 0; i < count; ++i) {
    const Key& key = dataset.faces[static_cast<std::size_t>(i)].*same;
    const auto found = key == none ? groups.end() : groups.find(key);
    if (found == groups.end() || found->second.size() == 1) {
      stayed.push_back(i);
    } else if (found->second.front() == i && merge(dataset, found->second)) {
      stayed.push_back(i);
    }
  }
  keep_faces(dataset, stayed);
  std::ranges::stable_sort(dataset.skipped, {}, &Skipped::path);
  std::ranges::stable_sort(dataset.copies, {}, [](const Copies& c) { return c.paths.front(); });
  return stayed;
}

}  // namespace

bool Copies::ages_differ() const {
  return std::ranges::min(ages) != std::ranges::max(ages);
}

bool Copies::genders_differ() const {
  std::set<std::int32_t> known(genders.begin(), genders.end());
  known.erase(-1);
  return known.size() > 1;
}

std::vector<Index> merge_copies(FaceDataset& dataset) {
  return merge_by(dataset, &Face::content, std::uint64_t{0});
}

std::vector<Index> merge_rows_of_one_file(FaceDataset& dataset) {
  return merge_by(dataset, &Face::path, std::string());
}

std::string copies_text(const FaceDataset& dataset) {
  if (dataset.copies.empty()) return {};
  std::size_t copies = 0, differ = 0, left_out = 0;
  for (const Copies& group : dataset.copies) {
    copies += group.paths.size() - 1;
    differ += group.ages_differ() || group.genders_differ();
    left_out += group.left_out;
  }
  return fmt::format(
      "{} pictures occur more than once and count once ({} copies); the labels of {} differ, {} of "
      "them too far to use ('twinage data' names them)",
      dataset.copies.size(), copies, differ, left_out);
}

void read_contents(FaceDataset& dataset, int threads,
                   const std::function<void(Index, Index)>& progress) {
  const auto total = static_cast<Index>(dataset.faces.size());
  std::vector<std::string> failures(dataset.faces.size());
  std::atomic<Index> done = 0;
  parallel_for(threads, total, [&](Index i, int thread) {
    Face& face = dataset.faces[static_cast<std::size_t>(i)];
    try {
      face.content = content_hash(read_binary_file(face.path, kMaxImageBytes));
    } catch (const Error& error) {
      failures[static_cast<std::size_t>(i)] = error.what();
    }
    const Index count = ++done;
    if (thread == 0 && progress) progress(count, total);
  });
  if (progress) progress(total, total);
  std::vector<Index> stayed;
  for (Index i = 0; i < total; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (failures[at].empty()) {
      stayed.push_back(i);
    } else {
      dataset.skipped.push_back({dataset.faces[at].path, failures[at]});
    }
  }
  keep_faces(dataset, stayed);
  std::ranges::stable_sort(dataset.skipped, {}, &Skipped::path);
}

InCommon in_common(const FaceDataset& dataset, const FaceDataset& others) {
  std::unordered_set<std::uint64_t> contents;
  std::unordered_set<std::string> paths, subjects;
  for (const Face& face : others.faces) {
    contents.insert(face.content);
    paths.insert(face.path);
    subjects.insert(face.subject);
  }
  for (const Copies& copies : others.copies) {  // also those that were left out
    contents.insert(copies.content);
    paths.insert(copies.paths.begin(), copies.paths.end());
  }
  contents.erase(0);
  subjects.erase("");
  InCommon common;
  std::set<std::string> persons;
  for (std::size_t i = 0; i < dataset.faces.size(); ++i) {
    const Face& face = dataset.faces[i];
    const bool named = subjects.contains(face.subject);
    if (named) persons.insert(face.subject);
    if (contents.contains(face.content) || paths.contains(face.path)) {
      ++common.copies;
    } else if (named) {
      ++common.faces_of_persons;
    } else {
      common.stayed.push_back(static_cast<Index>(i));
    }
  }
  common.persons = static_cast<Index>(persons.size());
  return common;
}

void keep_faces(FaceDataset& dataset, const std::vector<Index>& stayed) {
  std::vector<Face> faces;
  faces.reserve(stayed.size());
  for (const Index i : stayed)
    faces.push_back(std::move(dataset.faces[static_cast<std::size_t>(i)]));
  dataset.faces = std::move(faces);
}

}  // namespace twinage
