#include "tools/experiments/measure_embeddings.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "core/error.h"
#include "layers/initialize.h"
#include "tools/experiments/linear_probe.h"
#include "train/faces/copies.h"
#include "train/gallery_plan.h"

namespace twinage {
namespace {

constexpr Index kProbeFaces = 5000;  // [ours] trained on: enough for 128 numbers, and soon embedded
constexpr Index kNeighbours = 10;
constexpr Index kPoints = 600;  // drawn: more hide each other
constexpr float kNoChild = 10;  // years

using Progress = std::function<void(Index, Index)>;

std::vector<Index> all_of(std::size_t count) {
  std::vector<Index> indices(count);
  std::iota(indices.begin(), indices.end(), Index{0});
  return indices;
}

Tensor rows_of(ConstView z, const std::vector<Index>& chosen) {
  Tensor rows(matrix(static_cast<Index>(chosen.size()), z.shape.c));
  for (std::size_t row = 0; row < chosen.size(); ++row)
    std::copy_n(z.pixel(chosen[row]), z.shape.c, rows.view().pixel(static_cast<Index>(row)));
  return rows;
}

// The run's network as it was before its first step.
class Untrained {
 public:
  Untrained(const TrainConfig& config, const EngineOptions& options)
      : engine_(options),
        network_(preset(config.preset), config.embedding, config.objective.heads, config.radius),
        memory_(static_cast<std::size_t>(std::min(config.memory_gb, 1e6) * 1e9)) {
    network_.place_on(engine_.context().device);
    initialize(network_.parameters(), config.seed);
  }
  // One look at each face.
  Tensor embed(FaceDataset faces, const Progress& progress) {
    const FaceStore store(faces, network_.preset().load, engine_.context().threads, memory_);
    EmbedOptions options{.mirror = false, .zooms = false, .progress = progress, .pause = {}};
    return embed_faces(engine_, network_, store, all_of(faces.faces.size()), options).z;
  }

 private:
  Engine engine_;
  TwinNetwork network_;
  std::size_t memory_;
};

// References of the model whose gender --data tells: what a probe is trained on.
struct ProbeFaces {
  FaceDataset dataset;            // their pictures
  std::vector<Index> references;  // the same, as rows of the gallery
  std::vector<std::uint8_t> female;
};

ProbeFaces probe_faces(const CommonOptions& common, const Gallery& gallery, int threads) {
  ProbeFaces found;
  FaceDataset& dataset = found.dataset;
  dataset = find_faces(common.data, common.age_ranges, common.format);
  read_contents(dataset, threads);
  merge_copies(dataset);
  std::unordered_map<std::uint64_t, Index> rows;
  for (std::size_t i = 0; i < gallery.contents.size(); ++i)
    rows.emplace(gallery.contents[i], static_cast<Index>(i));
  std::vector<Index> labelled;
  for (std::size_t i = 0; i < dataset.faces.size(); ++i)
    if (dataset.faces[i].gender >= 0 && rows.contains(dataset.faces[i].content))
      labelled.push_back(static_cast<Index>(i));
  keep_faces(dataset, spread(labelled, kProbeFaces));
  for (const Face& face : dataset.faces) {
    found.references.push_back(rows.at(face.content));
    found.female.push_back(face.gender == 1 ? 1 : 0);
  }
  return found;
}

struct Labelled {
  std::vector<Index> faces, from_10;  // of those that were measured
  std::vector<std::uint8_t> female, female_from_10;
};

Labelled labelled_of(const std::vector<Face>& faces) {
  Labelled l;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    if (faces[i].gender < 0) continue;
    const std::uint8_t female = faces[i].gender == 1 ? 1 : 0;
    l.faces.push_back(static_cast<Index>(i));
    l.female.push_back(female);
    if (faces[i].age < kNoChild) continue;
    l.from_10.push_back(static_cast<Index>(i));
    l.female_from_10.push_back(female);
  }
  return l;
}

void probe(std::map<std::string, double>& figures, const std::string& suffix, ConstView training,
           std::span<const std::uint8_t> female, ConstView z, const Labelled& labelled) {
  const LinearProbe fitted = fit_linear_probe(training, female);
  figures["probe" + suffix] =
      accuracy_of(fitted, rows_of(z, labelled.faces).view(), labelled.female);
  if (!labelled.from_10.empty())
    figures["probe_from_10" + suffix] =
        accuracy_of(fitted, rows_of(z, labelled.from_10).view(), labelled.female_from_10);
}

bool both(std::span<const std::uint8_t> labels) {
  return std::ranges::count(labels, 0) > 0 && std::ranges::count(labels, 1) > 0;
}

// Of networks of more numbers than two the first two.
std::vector<PlanePoint> points_of(const std::vector<Face>& faces, ConstView z) {
  std::vector<PlanePoint> points;
  for (const Index i : spread(all_of(faces.size()), kPoints)) {
    const Face& face = faces[static_cast<std::size_t>(i)];
    points.push_back({z.pixel(i)[0], z.shape.c > 1 ? z.pixel(i)[1] : 0, face.age, face.gender});
  }
  return points;
}

}  // namespace

void measure_embeddings(RunResult& result, const MeasureRequest& request, const FaceReader& reader,
                        const Readings& readings, const Progress& progress) {
  const Model& model = reader.model();
  const std::vector<Face>& faces = readings.dataset.faces;
  const ConstView after = readings.embedded.z.view();
  Untrained untrained(model.config, request.engine);
  const Tensor before = untrained.embed(readings.dataset, progress);
  auto& figures = result.figures;

  if (request.measures.plane && faces.size() > 1) {
    std::vector<float> ages;
    for (const Face& face : faces) ages.push_back(face.age);
    const float tau = model.calibration.tau;
    figures["neighbours"] = neighbours_within(after, ages, kNeighbours, tau);
    figures["neighbours_before"] = neighbours_within(before.view(), ages, kNeighbours, tau);
    figures["neighbours_chance"] = pairs_within(ages, tau);
    if (result.seed == 1) {
      result.before = points_of(faces, before.view());
      result.after = points_of(faces, after);
    }
  }
  if (!request.measures.probe) return;
  const Labelled labelled = labelled_of(faces);
  const ProbeFaces known = probe_faces(request.common, model.gallery, reader.context().threads);
  if (labelled.faces.empty() || !both(known.female)) return;  // no genders: nothing to say
  const auto women = static_cast<double>(std::ranges::count(labelled.female, 1));
  const double share = women / static_cast<double>(labelled.female.size());
  figures["probe_chance"] = std::max(share, 1 - share);
  probe(figures, "", rows_of(model.gallery.embeddings.view(), known.references).view(),
        known.female, after, labelled);
  probe(figures, "_before", untrained.embed(known.dataset, progress).view(), known.female,
        before.view(), labelled);
}

}  // namespace twinage
