#include "tools/report/face_sections.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "core/content_hash.h"
#include "core/files.h"
#include "kernels/distance/distance.h"
#include "tools/charts/svg.h"
#include "tools/report/embedding_map.h"
#include "tools/report/sheets.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

constexpr std::size_t kMostOnMap = 2000, kSmall = 48, kLarge = 96;  // faces; pixels
constexpr int kSmallQuality = 60, kLargeQuality = 75;
constexpr std::size_t kExamples = 12, kWorst = 12, kWrongPairs = 8;

std::string age_text(float age) {
  return fmt::format("{:g}", std::round(10 * static_cast<double>(age)) / 10);
}

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string read_text(const MeasuredRun& run, Index i) {
  const float age = run.face(i).age, read = run.estimate(i).age;
  return fmt::format("{}, read {:.0f}", age_text(age), read);
}

// Evenly over a list, its first and last included.
std::vector<Index> evenly(const std::vector<Index>& all, std::size_t most) {
  if (all.size() <= most) return all;
  std::vector<Index> some;
  for (std::size_t i = 0; i < most; ++i)
    some.push_back(all[i * (all.size() - 1) / std::max<std::size_t>(1, most - 1)]);
  return some;
}

std::vector<Index> by_age(const MeasuredRun& run) {
  std::vector<Index> order = run.shown;
  std::ranges::stable_sort(order, {}, [&](Index i) { return run.face(i).age; });
  return order;
}

// Where the files of the gallery's names are, by what they hold.
class ReferenceFiles {
 public:
  explicit ReferenceFiles(const MeasuredRun& run, const RunRecord* record)
      : gallery_(run.reader->model().gallery) {
    if (record == nullptr) return;
    try {
      const TrainConfig& c = record->config;
      const FaceDataset dataset = find_faces(c.data, c.age_ranges, c.format, OfficialParts::all);
      for (const Face& face : dataset.faces) paths_.emplace(name_of(face.path), face.path);
    } catch (const Error&) {  // moved since: then there are no pictures of them
    }
  }
  bool found() const { return !paths_.empty(); }
  // Empty where it is not there any more, or another picture has its name.
  std::string path(Index reference) const {
    const auto i = static_cast<std::size_t>(reference);
    const auto [begin, end] = paths_.equal_range(gallery_.names[i]);
    for (auto at = begin; at != end; ++at) {
      if (!gallery_.knows_contents()) return at->second;
      try {
        if (content_hash(read_binary_file(at->second, kMaxImageBytes)) == gallery_.contents[i])
          return at->second;
      } catch (const Error&) {
      }
    }
    return "";
  }

 private:
  const Gallery& gallery_;
  std::multimap<std::string, std::string> paths_;
};

// What all sections of one run add to: pictures of one size, places in the report.
class Faces {
 public:
  Faces(Report& report, const MeasuredRun& run, const FaceOptions& options)
      : report_(report), run_(run), options_(options), large_(kLarge, kLargeQuality) {}

  Portrait portrait(const std::string& path, std::string text) {
    Portrait p{name_of(path), std::move(text)};
    if (!options_.pictures || path.empty()) return p;
    if (const auto place = large_.add_file(path)) {
      p.sheet = static_cast<int>(report_.sheets.size());
      p.place = *place;
    }
    return p;
  }
  Portrait portrait(Index i, std::string text) {
    return portrait(run_.face(i).path, std::move(text));
  }
  // To be called last: the pictures that were taken.
  void finish() {
    if (!large_.empty()) report_.sheets.push_back(large_.sheet());
  }

 private:
  Report& report_;
  const MeasuredRun& run_;
  const FaceOptions& options_;
  SheetMaker large_;
};

std::string title_with(const MeasuredRun& run, const std::string& title, bool several) {
  return several ? fmt::format("{}: {}", title, run.name) : title;
}

std::string about(const MeasuredRun& run, Index i) {
  const Model& model = run.reader->model();
  std::string text =
      fmt::format("True age {}, read {:.1f} ({})", age_text(run.face(i).age), run.estimate(i).age,
                  interval_text(run.estimate(i), model.calibration));
  if (run.has_intervals()) text += run.inside(i) ? ": inside" : ": outside";
  text += fmt::format(". Gender {}", gender_name(run.face(i).gender));
  if (model.knows_gender())
    text += fmt::format(
        ", read {}", gender_text(run.readings.embedded.female[static_cast<std::size_t>(i)], model));
  return text + ".";
}

PortraitRow reading_of(Faces& faces, const MeasuredRun& run, const ReferenceFiles& files, Index i) {
  const Gallery& gallery = run.reader->model().gallery;
  PortraitRow row{faces.portrait(i, read_text(run, i)), about(run, i), "nearest references:", {}};
  for (const Neighbour& n : run.estimate(i).nearest) {
    const auto r = static_cast<std::size_t>(n.reference);
    Portrait p = faces.portrait(files.path(n.reference),
                                fmt::format("{} at {:.2f}", age_text(gallery.ages[r]), n.distance));
    p.name = gallery.names[r];
    row.rest.push_back(std::move(p));
  }
  return row;
}

Section examples_of(Faces& faces, const MeasuredRun& run, const ReferenceFiles& files,
                    bool several) {
  Section section{"examples-" + run.name, title_with(run, "Readings, young to old", several)};
  const std::vector<Index> chosen = evenly(by_age(run), kExamples);
  section.paragraphs.push_back(
      fmt::format("{} of {} faces, evenly over their ages, whatever was read of them.",
                  chosen.size(), tick_text(static_cast<double>(run.shown.size()))));
  if (run.has_embeddings() && !files.found())
    section.paragraphs.emplace_back(
        "The faces that it was trained on are no longer where they were, or have no labels that "
        "can be read there: the references are named, not shown.");
  for (const Index i : chosen) section.portraits.push_back(reading_of(faces, run, files, i));
  return section;
}

Section worst_of(Faces& faces, const MeasuredRun& run, const ReferenceFiles& files, bool several) {
  Section section{"worst-" + run.name, title_with(run, "The largest errors", several)};
  std::vector<Index> order = run.shown;
  std::ranges::stable_sort(order, std::greater(), [&](Index i) { return std::fabs(run.error(i)); });
  order.resize(std::min(order.size(), kWorst));
  section.paragraphs.emplace_back(
      "Where a reading is far off, look at the picture first: in real data sets a part of these "
      "are "
      "wrong labels.");
  for (const Index i : order) section.portraits.push_back(reading_of(faces, run, files, i));
  return section;
}

struct WrongPair {
  Index a = 0, b = 0;
  float distance = 0, gap = 0;  // gap: years
};

// Of all pairs that are nearer than `threshold` those furthest apart in age, each face once.
std::vector<WrongPair> wrong_pairs(const MeasuredRun& run, float threshold) {
  constexpr Index kBlock = 512;
  constexpr std::size_t kKept = 4000;
  const auto count = static_cast<Index>(run.shown.size());
  const Tensor z = shown_embeddings(run);
  std::vector<WrongPair> pairs;
  const auto furthest_first = [](const WrongPair& x, const WrongPair& y) {
    return std::tuple(-x.gap, x.a, x.b) < std::tuple(-y.gap, y.a, y.b);
  };
  for (Index begin = 0; begin < count; begin += kBlock) {
    const Index rows = std::min(kBlock, count - begin);
    Tensor d(matrix(rows, count));
    distance_matrix(run.reader->context(), d.view(), z.view().images(begin, rows), z.view());
    for (Index row = 0; row < rows; ++row)
      for (Index other = begin + row + 1; other < count; ++other) {
        const float distance = d.view().pixel(row)[other];
        if (distance > threshold) continue;
        const Index a = run.shown[static_cast<std::size_t>(begin + row)],
                    b = run.shown[static_cast<std::size_t>(other)];
        const float gap = std::fabs(run.face(a).age - run.face(b).age);
        if (gap > run.reader->model().calibration.tau) pairs.push_back({a, b, distance, gap});
      }
    std::ranges::sort(pairs, furthest_first);
    pairs.resize(std::min(pairs.size(), kKept));
  }
  std::vector<WrongPair> chosen;
  for (const WrongPair& pair : pairs) {
    const bool taken = std::ranges::any_of(chosen, [&](const WrongPair& c) {
      return c.a == pair.a || c.b == pair.b || c.a == pair.b || c.b == pair.a;
    });
    if (!taken) chosen.push_back(pair);
    if (chosen.size() == kWrongPairs) break;
  }
  return chosen;
}

Section wrong_of(Faces& faces, const MeasuredRun& run, bool several) {
  Section section{"wrong-" + run.name,
                  title_with(run, "Most wrongly called the same age", several)};
  const std::optional<VerificationOptions> options = verification_of(*run.reader);
  if (!run.has_embeddings() || !options) {
    section.paragraphs.emplace_back("This model compares no faces.");
    return section;
  }
  const std::vector<WrongPair> pairs = wrong_pairs(run, options->threshold);
  section.paragraphs.push_back(fmt::format(
      "Pairs nearer than {:.2f}, the distance at which its own references are told apart best, "
      "those furthest apart in age.{}",
      options->threshold, pairs.empty() ? " There is none." : ""));
  for (const WrongPair& pair : pairs) {
    PortraitRow row{
        faces.portrait(pair.a, read_text(run, pair.a)),
        fmt::format("{:.0f} years apart, distance {:.2f}, P(same class) {:.0f} %", pair.gap,
                    pair.distance, 100 * run.reader->same_class_probability(pair.distance)),
        "",
        {}};
    row.rest.push_back(faces.portrait(pair.b, read_text(run, pair.b)));
    section.portraits.push_back(std::move(row));
  }
  return section;
}

PointMap map_by_age(const MeasuredRun& run, const std::vector<Index>& faces, const Plane& places,
                    std::vector<std::size_t>& order) {
  constexpr std::size_t kClasses = 9;
  PointMap map;
  for (std::size_t c = 0; c < kClasses; ++c)
    map.classes.push_back(
        {c + 1 < kClasses ? fmt::format("{}-{}", 10 * c, 10 * c + 9) : fmt::format("{}+", 10 * c),
         colour_between(static_cast<double>(c) / (kClasses - 1)),
         {}});
  std::vector<std::vector<std::size_t>> members(kClasses);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const auto decade = static_cast<std::size_t>(run.face(faces[i]).age / 10);
    members[std::min(decade, kClasses - 1)].push_back(i);
  }
  PointMap used;
  for (std::size_t c = 0; c < kClasses; ++c) {
    if (members[c].empty()) continue;
    used.classes.push_back(map.classes[c]);
    for (const std::size_t i : members[c]) {
      used.classes.back().places.push_back(places[i]);
      order.push_back(i);
    }
  }
  return used;
}

PointMap map_by_gender(const MeasuredRun& run, const std::vector<Index>& faces, const Plane& places,
                       std::vector<std::size_t>& order) {
  const std::pair<std::int32_t, std::string_view> kinds[] = {
      {0, colour_of(0)}, {1, colour_of(1)}, {-1, kUnknown}};
  PointMap map;
  for (const auto& [gender, colour] : kinds) {
    PointMap::Class members{std::string(gender_name(gender)), std::string(colour), {}};
    for (std::size_t i = 0; i < faces.size(); ++i)
      if (run.face(faces[i]).gender == gender) {
        members.places.push_back(places[i]);
        order.push_back(i);
      }
    if (!members.places.empty()) map.classes.push_back(std::move(members));
  }
  return map;
}

// The faces of the maps, with what is shown when one is pointed at; the first one's number.
std::size_t add_map_faces(Report& report, const MeasuredRun& run, const std::vector<Index>& faces,
                          bool pictures) {
  const std::size_t first = report.faces.size();
  Thumbnails thumbnails;
  if (pictures) {
    std::vector<std::string> paths;
    for (const Index i : faces) paths.push_back(run.face(i).path);
    thumbnails = thumbnails_of(paths, kSmall, kSmallQuality, run.reader->context().threads);
  }
  const int sheet = static_cast<int>(report.sheets.size());
  for (std::size_t k = 0; k < faces.size(); ++k) {
    MapFace face{fmt::format("{} ({}): age {}, read {:.0f}", name_of(run.face(faces[k]).path),
                             gender_name(run.face(faces[k]).gender),
                             age_text(run.face(faces[k]).age), run.estimate(faces[k]).age)};
    if (pictures && thumbnails.places[k]) {
      face.sheet = sheet;
      face.place = *thumbnails.places[k];
    }
    report.faces.push_back(std::move(face));
  }
  if (pictures && thumbnails.sheet.count > 0) report.sheets.push_back(std::move(thumbnails.sheet));
  return first;
}

void add_maps(Report& report, Section& section, const MeasuredRun& run,
              const std::vector<Index>& faces, const FaceOptions& options) {
  const Index width = run.readings.embedded.z.shape().c;
  Tensor z(matrix(static_cast<Index>(faces.size()), width));
  for (std::size_t row = 0; row < faces.size(); ++row)
    std::copy_n(run.readings.embedded.z.view().pixel(faces[row]), width,
                z.view().pixel(static_cast<Index>(row)));
  const std::size_t first = add_map_faces(report, run, faces, options.pictures);
  const Plane neighbours = neighbour_plane(run.reader->context(), z.view()),
              principal = principal_plane(z.view());
  struct Kind {
    const char *id, *title, *what;
    const Plane& places;
  };
  const Kind kinds[] = {
      {"tsne", "Neighbours", "t-SNE: what is near is alike; distances between groups mean nothing.",
       neighbours},
      {"pca", "Principal components", "The two directions of most variance.", principal}};
  const bool genders = std::ranges::any_of(faces, [&](Index i) { return run.face(i).gender >= 0; });
  for (const Kind& kind : kinds)
    for (const bool by_gender : {false, true}) {
      if (by_gender && !genders) continue;
      std::vector<std::size_t> order;
      PointMap map = by_gender ? map_by_gender(run, faces, kind.places, order)
                               : map_by_age(run, faces, kind.places, order);
      for (std::size_t& face : order) face += first;
      section.figures.push_back(
          {fmt::format("{}-{}-{}", kind.id, by_gender ? "gender" : "age", first),
           fmt::format("{}, by {}", kind.title, by_gender ? "gender" : "age"),
           fmt::format("{} {} faces.", kind.what, tick_text(static_cast<double>(faces.size()))),
           std::move(map), std::move(order)});
    }
}

Section map_of(Report& report, const MeasuredRun& run, const FaceOptions& options, bool several) {
  Section section{"map-" + run.name, title_with(run, "Map of the embeddings", several)};
  if (!run.has_embeddings()) {
    section.paragraphs.emplace_back("This model has no embedding.");
    return section;
  }
  section.paragraphs.emplace_back(
      "Each point is a face. Point at one, or go through them with the arrow keys, to see it with "
      "its age and what was read.");
  add_maps(report, section, run, evenly(run.shown, kMostOnMap), options);
  return section;
}

}  // namespace

void add_faces(Report& report, const MeasuredRun& run, const RunRecord* record,
               const FaceOptions& options, bool several) {
  report.sections.push_back(map_of(report, run, options, several));
  const ReferenceFiles files(run, record);
  Faces faces(report, run, options);
  report.sections.push_back(examples_of(faces, run, files, several));
  report.sections.push_back(worst_of(faces, run, files, several));
  report.sections.push_back(wrong_of(faces, run, several));
  faces.finish();
}

}  // namespace twinage
