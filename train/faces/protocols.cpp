#include "train/faces/protocols.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "core/random.h"
#include "train/faces/copies.h"
#include "train/faces/split.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParts[] = {"train", "val", "test"};
constexpr float kYoungest = 21, kOldest = 60;  // of utkface-21-60

using Faces = std::vector<Index>;            // indices
using PartNames = std::vector<std::string>;  // of each face; empty: in none

std::string fold_name(Index fold) {
  return fmt::format("{}", fold);
}

Random random_of(const ProtocolOptions& options) {
  return Random(options.seed, stream_of(fmt::format("split {}", to_string(options.protocol))));
}

// Persons in the order of their names, numbers by size; then, if asked for, faces of nobody, each a
// group of its own.
struct Person {
  std::string name;
  Faces faces;
};
std::vector<Person> persons_of(const std::vector<Face>& faces, bool with_nobody) {
  std::map<std::string, Faces> named;
  std::vector<Person> persons;
  for (std::size_t i = 0; i < faces.size(); ++i)
    if (!faces[i].subject.empty()) named[faces[i].subject].push_back(static_cast<Index>(i));
  for (auto& [name, of] : named) persons.push_back({name, std::move(of)});
  const auto is_number = [](const std::string& text) {
    return text.find_first_not_of("0123456789") == text.npos;
  };
  std::ranges::stable_sort(persons, [&](const Person& a, const Person& b) {
    const bool number = is_number(a.name), other = is_number(b.name);
    if (number != other) return number;
    return number && a.name.size() != b.name.size() ? a.name.size() < b.name.size()
                                                    : a.name < b.name;
  });
  for (std::size_t i = 0; with_nobody && i < faces.size(); ++i)
    if (faces[i].subject.empty()) persons.push_back({"", {static_cast<Index>(i)}});
  return persons;
}

void put(PartNames& parts, const Faces& faces, const std::string& part) {
  for (const Index i : faces) parts[static_cast<std::size_t>(i)] = part;
}

Index count_of(double share, std::size_t faces) {
  return static_cast<Index>(std::llround(share * static_cast<double>(faces)));
}

void split_at_random(PartNames& parts, const Faces& candidates, const ProtocolOptions& options) {
  const Index test = count_of(options.share, candidates.size()),
              val = count_of(options.val_share, candidates.size());
  const Faces order = shuffled(static_cast<Index>(candidates.size()), random_of(options));
  for (Index i = 0; i < static_cast<Index>(order.size()); ++i)
    put(parts, {candidates[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]},
        i < test         ? "test"
        : i < test + val ? "val"
                         : "train");
}

// Goes through the persons in a random order and takes those who bring the number nearer to what is
// wanted; at least one.
void split_by_person(PartNames& parts, const std::vector<Person>& persons, std::size_t faces,
                     const ProtocolOptions& options) {
  put(
      parts,
      [&] {
        Faces all(faces);
        std::iota(all.begin(), all.end(), Index{0});
        return all;
      }(),
      "train");
  const Faces order = shuffled(static_cast<Index>(persons.size()), random_of(options));
  std::vector<bool> taken(persons.size(), false);
  for (const auto& [name, share] : {std::pair("test", options.share), {"val", options.val_share}}) {
    const Index wanted = count_of(share, faces);
    Index have = 0;
    if (share == 0) continue;
    for (const Index i : order) {
      const auto at = static_cast<std::size_t>(i);
      const auto more = static_cast<Index>(persons[at].faces.size());
      if (taken[at] || std::abs(have + more - wanted) >= std::abs(have - wanted)) continue;
      taken[at] = true;
      have += more;
      put(parts, persons[at].faces, name);
    }
    if (have > 0) continue;
    const auto smallest = std::ranges::min_element(order, {}, [&](Index i) {
      const auto at = static_cast<std::size_t>(i);
      return taken[at] ? std::size_t(-1) : persons[at].faces.size();
    });
    taken[static_cast<std::size_t>(*smallest)] = true;
    put(parts, persons[static_cast<std::size_t>(*smallest)].faces, name);
  }
}

// Of folds by person: the largest first, each into the fold that is the smallest.
void split_into_folds(PartNames& parts, std::vector<Person> groups,
                      const ProtocolOptions& options) {
  std::vector<Person> order;
  for (const Index i : shuffled(static_cast<Index>(groups.size()), random_of(options)))
    order.push_back(std::move(groups[static_cast<std::size_t>(i)]));
  std::ranges::stable_sort(order, std::greater(), [](const Person& p) { return p.faces.size(); });
  std::vector<std::size_t> sizes(static_cast<std::size_t>(options.folds), 0);
  for (const Person& person : order) {
    const auto smallest = std::ranges::min_element(sizes) - sizes.begin();
    sizes[static_cast<std::size_t>(smallest)] += person.faces.size();
    put(parts, person.faces, fold_name(smallest));
  }
}

std::vector<Person> one_a_face(std::size_t faces) {
  std::vector<Person> groups(faces);
  for (std::size_t i = 0; i < faces; ++i) groups[i].faces = {static_cast<Index>(i)};
  return groups;
}

Faces of_ages(const std::vector<Face>& faces, float youngest, float oldest) {
  Faces chosen;
  for (std::size_t i = 0; i < faces.size(); ++i)
    if (faces[i].age >= youngest && faces[i].age <= oldest) chosen.push_back(static_cast<Index>(i));
  return chosen;
}

// Copies that count once: a picture of each content, of an official split in the latest part that
// has it.
FaceDataset without_copies(const FaceDataset& faces, bool official, Index& on_both_sides) {
  FaceDataset merged = faces;
  if (!official) {
    merge_copies(merged);
    return merged;
  }
  FaceDataset all = faces;
  all.faces.clear();
  std::set<std::uint64_t> later;
  for (const std::string_view part : {"test", "val", "train"}) {
    FaceDataset one = faces;
    std::erase_if(one.faces, [&](const Face& face) { return face.part != part; });
    merge_copies(one);
    std::set<std::uint64_t> here;
    for (Face& face : one.faces) {
      here.insert(face.content);
      if (later.contains(face.content)) {
        ++on_both_sides;
      } else {
        all.faces.push_back(std::move(face));
      }
    }
    later.merge(here);
  }
  std::ranges::stable_sort(all.faces, {}, &Face::path);
  return all;
}

// The part of each face of `merged`, and of leave-one-out whose fold is which.
PartNames parts_of(const FaceDataset& merged, const fs::path& data, const ProtocolOptions& options,
                   std::map<std::string, std::string>& notes) {
  const std::vector<Face>& faces = merged.faces;
  const bool by_person = options.protocol == Protocol::person ||
                         options.protocol == Protocol::person_folds ||
                         options.protocol == Protocol::leave_one_out;
  const auto known = [](const Face& face) { return !face.subject.empty(); };
  require(!by_person || std::ranges::any_of(faces, known),
          "[split] protocol {} needs to know who is on a picture, and {} (format {}) does not say",
          to_string(options.protocol), data.string(), merged.format);
  PartNames parts(faces.size());
  Faces all(faces.size());
  std::iota(all.begin(), all.end(), Index{0});
  switch (options.protocol) {
    case Protocol::random:
      split_at_random(parts, all, options);
      break;
    case Protocol::utkface_21_60:
      require(merged.format == "utkface",
              "[split] protocol utkface-21-60 is of UTKFace, and {} is of format {}", data.string(),
              merged.format);
      split_at_random(parts, of_ages(faces, kYoungest, kOldest), options);
      break;
    case Protocol::person:
      split_by_person(parts, persons_of(faces, true), faces.size(), options);
      break;
    case Protocol::folds:
      split_into_folds(parts, one_a_face(faces.size()), options);
      break;
    case Protocol::person_folds:
      split_into_folds(parts, persons_of(faces, true), options);
      break;
    case Protocol::leave_one_out: {
      const std::vector<Person> persons = persons_of(faces, false);
      require(persons.size() >= 2, "[split] leave-one-out needs two persons, {} shows {}",
              data.string(), persons.size());
      for (std::size_t i = 0; i < persons.size(); ++i) {
        const std::string fold = fold_name(static_cast<Index>(i));
        put(parts, persons[i].faces, fold);
        notes[fold] = "person " + persons[i].name;
      }
      break;
    }
    case Protocol::official:
      for (std::size_t i = 0; i < faces.size(); ++i) parts[i] = faces[i].part;
      require(std::ranges::any_of(parts, [](auto& part) { return !part.empty(); }),
              "[split] {} (format {}) comes with no official split", data.string(), merged.format);
  }
  return parts;
}

std::vector<std::string> names_of_parts(const ProtocolOptions& options, const PartNames& parts) {
  std::vector<std::string> names;
  std::set<std::string> there(parts.begin(), parts.end());
  there.erase("");
  const bool folds = there.empty() || std::ranges::find(kParts, *there.begin()) == std::end(kParts);
  const Index count =
      uses_of(options.protocol).folds ? options.folds : static_cast<Index>(there.size());
  for (Index fold = 0; folds && fold < count; ++fold) names.push_back(fold_name(fold));
  for (const std::string_view part : kParts)
    if (there.contains(std::string(part))) names.emplace_back(part);
  return names;
}

PartSummary summary_of(const std::string& name, const std::string& note,
                       const std::vector<Face>& faces, const PartNames& parts) {
  PartSummary s{name, note};
  std::set<std::string> persons;
  s.youngest = kMaxAge;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    if (parts[i] != name) continue;
    ++s.faces;
    s.youngest = std::min(s.youngest, faces[i].age);
    s.oldest = std::max(s.oldest, faces[i].age);
    s.mean_age += static_cast<double>(faces[i].age);
    if (!faces[i].subject.empty()) persons.insert(faces[i].subject);
  }
  s.mean_age /= static_cast<double>(std::max<Index>(s.faces, 1));
  s.persons = static_cast<Index>(persons.size());
  return s;
}

std::string text_of(const ProtocolOptions& options, const std::string& format) {
  const ProtocolUses uses = uses_of(options.protocol);
  std::string text = to_string(options.protocol);
  if (uses.seed) text += fmt::format(", seed {}", options.seed);
  if (uses.shares) text += fmt::format(", share {}", options.share);
  if (uses.shares && options.val_share > 0)
    text += fmt::format(", val share {}", options.val_share);
  if (uses.folds) text += fmt::format(", {} folds", options.folds);
  return text + ", of format " + format;
}

void check(const ProtocolOptions& options) {
  if (!(options.share > 0 && options.val_share >= 0 && options.share + options.val_share < 1))
    throw UsageError(
        fmt::format("[split] expected a share above 0, and with the val share below 1, got {} and "
                    "{}",
                    options.share, options.val_share));
  if (options.folds < 2)
    throw UsageError(fmt::format("[split] expected 2 folds or more, got {}", options.folds));
}

}  // namespace

std::string protocol_help() {
  return "  random         pictures at random, whoever is on them (most figures on MORPH)\n"
         "  person         at random, but nobody on two sides (subject-exclusive)\n"
         "  folds          --folds parts of pictures, each of which is tested in turn\n"
         "  person-folds   the same, nobody in two folds\n"
         "  leave-one-out  a fold for each person (FG-NET)\n"
         "  official       the data set's own lists (MegaAge-Asian, APPA-REAL)\n"
         "  utkface-21-60  UTKFace from 21 to 60 years, at random";
}

ProtocolUses uses_of(Protocol protocol) {
  ProtocolUses uses;
  uses.shares = protocol == Protocol::random || protocol == Protocol::person ||
                protocol == Protocol::utkface_21_60;
  uses.folds = protocol == Protocol::folds || protocol == Protocol::person_folds;
  uses.seed = uses.shares || uses.folds;
  return uses;
}

MadeSplit make_split(const FaceDataset& faces, const fs::path& data,
                     const ProtocolOptions& options) {
  check(options);
  MadeSplit made;
  const bool official = options.protocol == Protocol::official;
  const FaceDataset merged = without_copies(faces, official, made.on_both_sides);
  std::map<std::string, std::string> notes;
  const PartNames parts = parts_of(merged, data, options, notes);
  std::map<std::string, std::set<std::string>> parts_of_person;
  std::unordered_map<std::uint64_t, std::string> part_of_content;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    part_of_content[merged.faces[i].content] = parts[i];
    const std::string& person = merged.faces[i].subject;
    if (!person.empty()) parts_of_person[person].insert(parts[i]);
  }
  made.persons_known = !parts_of_person.empty();
  for (const auto& [person, where] : parts_of_person) made.persons_shared += where.size() > 1;

  made.file.protocol = text_of(options, faces.format);
  std::map<std::string, std::map<std::string, Face>> listed;  // part, name
  for (const Face& face : faces.faces) {
    const auto found = part_of_content.find(face.content);
    if (found == part_of_content.end() || (official && face.part != found->second)) {
      ++made.left_out;
      continue;
    }
    const std::string name = name_in_split(data, face.path);
    made.file.part_of.emplace(name, found->second);
    listed[found->second].emplace(name, face);
  }
  made.copies = static_cast<Index>(made.file.part_of.size());
  std::vector<std::string> names = names_of_parts(options, parts);
  if (uses_of(options.protocol).shares) {
    names = {"train", "test"};
    if (options.val_share > 0) names.insert(names.begin() + 1, "val");
  }
  for (const std::string& name : names) {
    made.parts.push_back(summary_of(name, notes[name], merged.faces, parts));
    require(made.parts.back().faces > 0,
            "[split] {} faces of {} are too few for {}: part {} would be empty",
            merged.faces.size(), data.string(), made.file.protocol, name);
    made.copies -= made.parts.back().faces;
    std::vector<Face> of_part;
    for (const auto& [path, face] : listed[name]) of_part.push_back(face);
    made.file.parts.push_back(
        {name, static_cast<Index>(of_part.size()), fingerprint(of_part), notes[name]});
  }
  return made;
}

}  // namespace twinage
