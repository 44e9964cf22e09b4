#include "tools/experiments/measure.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "siamese/readouts/age_readout.h"
#include "tools/experiments/measure_embeddings.h"
#include "train/model/face_reader.h"
#include "train/model/metrics.h"

namespace twinage {
namespace {

constexpr Index kReferences[] = {10, 30, 100, 300, 1000, 3000, 10000};
constexpr float kNoChild = 10;  // years

using Figures = std::map<std::string, double>;

struct Errors {
  double mae = 0, within5 = 0;
};

Errors errors_of(const std::vector<Face>& faces, const std::vector<AgeEstimate>& estimates) {
  Errors e;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const double error = std::fabs(static_cast<double>(estimates[i].age - faces[i].age));
    e.mae += error / static_cast<double>(faces.size());
    e.within5 += (error <= 5 ? 1 : 0) / static_cast<double>(faces.size());
  }
  return e;
}

void measure_errors(Figures& figures, const FaceReader& reader, const Readings& r) {
  const Model& model = reader.model();
  const bool intervals = model.calibration.claim().kind != IntervalClaim::Kind::none;
  std::vector<float> female;
  if (model.knows_gender()) female = r.embedded.female;
  const Metrics metrics =
      compute_metrics(reader.context(), r.dataset.faces, {r.estimates, female, {}, intervals},
                      model.gallery.ages, {}, r.dataset.race_names);
  figures["mae"] = metrics.all.mae;
  figures["median_error"] = metrics.all.median_error;
  figures["cs5"] = metrics.all.cs[5];
  if (metrics.all.interval_share) figures["coverage"] = *metrics.all.interval_share;
  if (metrics.all.gender_accuracy) figures["gender"] = *metrics.all.gender_accuracy;
  Index labelled = 0, right = 0;
  for (std::size_t i = 0; i < female.size(); ++i) {
    const Face& face = r.dataset.faces[i];
    if (face.gender < 0 || face.age < kNoChild) continue;
    ++labelled;
    right += says_female(female[i]) == (face.gender == 1);
  }
  if (labelled > 0)
    figures["gender_from_10"] = static_cast<double>(right) / static_cast<double>(labelled);
  figures["faces"] = static_cast<double>(r.dataset.faces.size());
  figures["trained_on"] = static_cast<double>(model.gallery.training_contents.size());
  figures["best_step"] = static_cast<double>(model.step);
  Index parameters = 0;
  for (const Parameter* p : model.network->parameters())
    if (p->trained) parameters += p->value.shape().size();
  figures["parameters"] = static_cast<double>(parameters);
}

std::vector<std::uint64_t> contents_of(const std::vector<Face>& faces) {
  std::vector<std::uint64_t> contents;
  for (const Face& face : faces) contents.push_back(face.content);
  return contents;
}

// Of the gallery these references, and nothing of what else it knows.
Gallery some_of(const Gallery& all, const std::vector<Index>& chosen) {
  Gallery some;
  const Index width = all.embeddings.shape().c;
  some.embeddings = Tensor(matrix(static_cast<Index>(chosen.size()), width));
  for (std::size_t row = 0; row < chosen.size(); ++row) {
    const auto i = static_cast<std::size_t>(chosen[row]);
    std::copy_n(all.embeddings.view().pixel(chosen[row]), width,
                some.embeddings.view().pixel(static_cast<Index>(row)));
    some.ages.push_back(all.ages[i]);
    some.names.push_back(all.names[i]);
    if (all.knows_contents()) some.contents.push_back(all.contents[i]);
  }
  return some;
}

// By every read-out that looks at nothing but distances.
void measure_readouts(Figures& figures, const FaceReader& reader, const Readings& r,
                      const Gallery& gallery, const std::string& suffix) {
  const Model& model = reader.model();
  const std::vector<std::uint64_t> contents = contents_of(r.dataset.faces);
  for (const ReadoutRow& row : readout_table()) {
    if (!row.needs.embedding || row.needs.ages != AgeSaid::nothing) continue;
    const AgeReadout readout(gallery, model.calibration, {row.kind, model.config.readout.k});
    const auto estimates =
        readout.estimate(reader.context(), {.z = r.embedded.z.view(), .ages = {}}, contents);
    const Errors errors = errors_of(r.dataset.faces, estimates);
    const std::string name = to_string(row.kind) + suffix;
    figures["mae:" + name] = errors.mae;
    figures["cs5:" + name] = errors.within5;
  }
}

void measure_references(Figures& figures, const FaceReader& reader, const Readings& r) {
  const Gallery& all = reader.model().gallery;
  const auto count = static_cast<Index>(all.ages.size());
  for (const Index n : kReferences)
    if (n < count)
      measure_readouts(figures, reader, r, some_of(all, spread_over_ages(all.ages, n)),
                       fmt::format("@{}", n));
  measure_readouts(figures, reader, r, all, fmt::format("@{}", count));
}

void check_finite(const RunResult& result) {
  for (const auto& [key, value] : result.figures)
    require(std::isfinite(value), "[experiment] {} of row {}, seed {}, is {}", key, result.row,
            result.seed, value);
}

struct Stopped {};

}  // namespace

bool measure_run(RunResult& result, const MeasureRequest& request) {
  RunResult found = result;
  found.figures.clear();
  const auto progress = [&request](Index, Index) {
    if (request.stop != nullptr && *request.stop) throw Stopped();
  };
  try {
    FaceReader reader(request.run, Engine(request.engine));
    const CommonOptions& c = request.common;
    const Readings readings = reader.read(find_faces(c.val, c.age_ranges, c.format), progress,
                                          FaceStore::WhenNone::fail, FaceReader::CopiesCount::once);
    Figures& figures = found.figures;
    measure_errors(figures, reader, readings);
    if (reader.model().has(Task::embedding)) {
      figures["references"] = static_cast<double>(reader.model().gallery.ages.size());
      measure_readouts(figures, reader, readings, reader.model().gallery, "");
      if (request.measures.references) measure_references(figures, reader, readings);
      if (request.measures.probe || request.measures.plane)
        measure_embeddings(found, request, reader, readings, progress);
    }
    for (const char* part : {"", "_from_10"}) {
      const std::string suffix = part;
      const auto read = found.figure("gender" + suffix);
      const auto probed = found.figure("probe" + suffix);
      if (read || probed) figures["gender_read" + suffix] = read ? *read : *probed;
    }
    found.curve = curve_of(request.run / "metrics.jsonl");
    if (!found.curve.empty()) figures["steps"] = static_cast<double>(found.curve.back().step);
  } catch (const Stopped&) {
    return false;
  }
  check_finite(found);
  result = std::move(found);
  return true;
}

std::vector<CurvePoint> curve_of(const std::filesystem::path& metrics) {
  std::vector<CurvePoint> curve;
  std::ifstream in(metrics);
  for (std::string line; std::getline(in, line);) {
    const auto record = nlohmann::json::parse(line, nullptr, false);
    if (!record.is_object() || record.value("event", "") != "validation") continue;
    const auto seen = record.contains("val") ? record["val"] : record["held_out"];
    curve.push_back({record.at("step").get<std::uint64_t>(), seen.at("mae").get<double>()});
  }
  return curve;
}

double neighbours_within(ConstView z, std::span<const float> ages, Index k, float tau) {
  const auto n = static_cast<std::size_t>(z.shape.n);
  require(n == ages.size() && n > 1 && k > 0,
          "[neighbours] expected at least two faces and one neighbour, got z = {}, {} ages, k = {}",
          z.shape, ages.size(), k);
  const std::size_t most = std::min(static_cast<std::size_t>(k), n - 1);
  std::size_t within = 0;
  std::vector<std::pair<double, std::size_t>> others;
  for (std::size_t i = 0; i < n; ++i) {
    others.clear();
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      double squares = 0;
      for (Index c = 0; c < z.shape.c; ++c) {
        const double d = static_cast<double>(z.pixel(static_cast<Index>(i))[c]) -
                         static_cast<double>(z.pixel(static_cast<Index>(j))[c]);
        squares += d * d;
      }
      others.emplace_back(squares, j);
    }
    std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(most),
                      others.end());
    for (std::size_t p = 0; p < most; ++p)
      within += std::fabs(ages[others[p].second] - ages[i]) <= tau ? 1U : 0U;
  }
  return static_cast<double>(within) / static_cast<double>(n * most);
}

double pairs_within(std::span<const float> ages, float tau) {
  require(ages.size() > 1, "[neighbours] expected at least two faces, got {}", ages.size());
  std::size_t within = 0;
  for (std::size_t i = 0; i < ages.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) within += std::fabs(ages[i] - ages[j]) <= tau ? 1U : 0U;
  return 2 * static_cast<double>(within) / static_cast<double>(ages.size() * (ages.size() - 1));
}

std::vector<Index> spread_over_ages(std::span<const float> ages, Index n) {
  std::vector<Index> order(ages.size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto count = static_cast<Index>(ages.size());
  if (n >= count) return order;
  std::ranges::stable_sort(order, {}, [&](Index i) { return ages[static_cast<std::size_t>(i)]; });
  std::vector<Index> chosen;
  for (Index part = 0; part < n; ++part)
    chosen.push_back(order[static_cast<std::size_t>((2 * part + 1) * count / (2 * n))]);
  std::ranges::sort(chosen);
  return chosen;
}

}  // namespace twinage
