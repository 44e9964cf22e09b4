#include "train/run_faces.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/output.h"
#include "layers/backbones/backbone.h"
#include "train/faces/copies.h"
#include "train/faces/photo/crop_record.h"
#include "train/faces/split_file.h"
#include "train/progress.h"

namespace twinage {
namespace {

// Streams of the run's seed, one for each purpose.
constexpr std::uint64_t kSplitStream = 0x5350'4C49'5400'0000, kPairStream = 0x5041'4952'0000'0000;
constexpr double kMaxBadShare = 0.5;  // of pictures that cannot be decoded

std::vector<Index> all_of(const FaceDataset& dataset) {
  std::vector<Index> indices(dataset.faces.size());
  std::iota(indices.begin(), indices.end(), Index{0});
  return indices;
}

std::size_t bytes_of(double gigabytes) {
  return static_cast<std::size_t>(gigabytes * 1e9);
}

// Copies are counted once; said in a line.
void merge_and_say(FaceDataset& dataset, FaceStore& store, const std::string& what) {
  const std::size_t skipped = dataset.skipped.size();
  store.keep(merge_copies(dataset));
  note("{}: {} faces{}\n", what, dataset.faces.size(),
       skipped == 0 ? "" : fmt::format(", {} skipped ('twinage data --decode' says why)", skipped));
  if (!dataset.copies.empty()) note("{}: {}\n", what, copies_text(dataset));
}

// Nobody is trained on who is validated on.
void leave_out_common(FaceDataset& faces, FaceStore& store, const FaceDataset& val) {
  const InCommon common = in_common(faces, val);
  if (common.copies > 0)
    note("{} faces of --data are those of --val: they are not trained on\n", common.copies);
  if (common.persons > 0)
    note(
        "{} persons of --data are in --val, too: {} more faces, of them, are not trained "
        "on\n",
        common.persons, common.faces_of_persons);
  require(!common.stayed.empty(),
          "[train] no face is left to train on: all {} of --data are pictures ({}) or show persons "
          "({}) of --val; keep them apart",
          faces.faces.size(), common.copies, common.faces_of_persons);
  keep_faces(faces, common.stayed);
  store.keep(common.stayed);
}

std::unique_ptr<FaceStore> open_store(FaceDataset& dataset, const std::string& what,
                                      const std::string& preset_name, std::size_t memory,
                                      int threads, const Ranks& ranks) {
  const auto found = dataset.faces.size();
  ranks.require_same("faces of " + what,
                     fmt::format("{} with fingerprint {:x}", found, fingerprint(dataset.faces)));
  std::unique_ptr<FaceStore> store;
  {
    Progress bar("reading " + what);
    store = std::make_unique<FaceStore>(dataset, preset(preset_name).load, threads, memory,
                                        bar.counter(), FaceStore::WhenNone::fail, ranks);
  }
  const auto bad = found - dataset.faces.size();
  require(static_cast<double>(bad) <= kMaxBadShare * static_cast<double>(found),
          "[data] {} of {} pictures cannot be decoded, the last one: {}: {}", bad, found,
          dataset.skipped.empty() ? "" : dataset.skipped.back().path,
          dataset.skipped.empty() ? "" : dataset.skipped.back().reason);
  merge_and_say(dataset, *store, what);
  return store;
}

std::vector<float> training_ages(const RunFaces& faces) {
  std::vector<float> ages;
  for (const Index i : faces.split.training)
    ages.push_back(faces.faces.faces[static_cast<std::size_t>(i)].age);
  return ages;
}

void say_how_balanced(const TrainConfig& config, const RunFaces& run) {
  const std::vector<double> weights = draw_weights(training_ages(run), config.balance);
  if (weights.empty()) return;
  const auto [least, most] = std::ranges::minmax(weights);
  note("balanced ages: a face is drawn {:.2f} to {:.2f} times an epoch, by its age\n", least, most);
}

void find_by_folders(RunFaces& run, const TrainConfig& config, int threads, const Ranks& ranks) {
  ranks.together([&] { run.faces = find_faces(config.data, config.age_ranges, config.format); });
  std::size_t memory = bytes_of(config.memory_gb);
  run.store = open_store(run.faces, config.data, config.preset, memory, threads, ranks);
  if (config.val.empty()) return;
  ranks.together([&] { run.val_faces = find_faces(config.val, config.age_ranges, config.format); });
  memory -= static_cast<std::size_t>(run.store->kept()) * run.store->bytes_of_face();
  run.val_store = open_store(run.val_faces, config.val, config.preset, memory, threads, ranks);
  run.val = all_of(run.val_faces);
  leave_out_common(run.faces, *run.store, run.val_faces);
}

// A split made elsewhere may have copies of a picture on two sides. Who is on both is its own
// business: figures of some protocols are of known persons.
void leave_out_copies(FaceDataset& faces, FaceStore& store, FaceDataset elsewhere) {
  for (Face& face : elsewhere.faces) face.subject.clear();
  const InCommon common = in_common(faces, elsewhere);
  if (common.copies > 0)
    note("{} pictures to train on are in other parts of the split, too: they are not trained on\n",
         common.copies);
  require(!common.stayed.empty(),
          "[train] no face is left to train on: all {} are in other parts of the split, too",
          faces.faces.size());
  keep_faces(faces, common.stayed);
  store.keep(common.stayed);
}

FaceDataset take_parts(const FaceDataset& all, const std::vector<std::string>& parts) {
  FaceDataset chosen = all;
  std::erase_if(chosen.faces, [&](const Face& face) {
    return std::ranges::find(parts, face.part) == parts.end();
  });
  return chosen;
}

void find_by_split(RunFaces& run, const TrainConfig& config, int threads, const Ranks& ranks) {
  SplitFile split;
  ranks.together([&] { split = read_split(config.split); });
  const SplitSides sides = sides_of(split, config.fold);
  if (!sides.val.empty() && !config.val.empty())
    throw UsageError(fmt::format("[train] {} has a part to validate on: leave out --val (data.val)",
                                 config.split));
  FaceDataset found;
  ranks.together([&] {
    found = find_faces(config.data, config.age_ranges, config.format, OfficialParts::all);
  });
  std::vector<std::string> names;
  for (const SplitPart& part : split.parts) names.push_back(part.name);
  FaceDataset all;
  {
    Progress bar("comparing with " + config.split);
    ranks.together(
        [&] { all = faces_of_split(found, config.data, split, names, threads, bar.counter()); });
  }
  if (found.faces.size() > all.faces.size())
    note("{} faces of {} are in no part of {}\n", found.faces.size() - all.faces.size(),
         config.data, config.split);
  std::size_t memory = bytes_of(config.memory_gb);
  run.faces = take_parts(all, sides.train);
  run.store = open_store(run.faces, config.data, config.preset, memory, threads, ranks);
  FaceDataset elsewhere = take_parts(all, sides.others);
  if (!sides.val.empty() || !config.val.empty()) {
    ranks.together([&] {
      run.val_faces = sides.val.empty() ? find_faces(config.val, config.age_ranges, config.format)
                                        : take_parts(all, sides.val);
    });
    const std::string what = sides.val.empty() ? config.val : "part val of " + config.split;
    memory -= static_cast<std::size_t>(run.store->kept()) * run.store->bytes_of_face();
    run.val_store = open_store(run.val_faces, what, config.preset, memory, threads, ranks);
    run.val = all_of(run.val_faces);
    if (sides.val.empty()) leave_out_common(run.faces, *run.store, run.val_faces);
    const std::vector<Face>& val = run.val_faces.faces;
    elsewhere.faces.insert(elsewhere.faces.end(), val.begin(), val.end());
    elsewhere.copies = run.val_faces.copies;
  }
  leave_out_copies(run.faces, *run.store, std::move(elsewhere));
}

}  // namespace

std::unique_ptr<const RunFaces> find_run_faces(const TrainConfig& config, int threads,
                                               const Ranks& ranks) {
  auto found = std::make_unique<RunFaces>();
  RunFaces& run = *found;
  (void)crop_record_beside(config.data);  // one that makes no sense: said now, not at the end
  if (config.split.empty()) {
    find_by_folders(run, config, threads, ranks);
  } else {
    find_by_split(run, config, threads, ranks);
  }
  const Index held_out = held_out_count(run.store->size(), config.held_out, config.held_out_max);
  run.split = split_faces(run.faces.faces, held_out, Random(config.seed, kSplitStream));
  say_how_balanced(config, run);
  for (const std::string& line :
       concerns(run.faces.faces, run.split.training, config.objective.heads))
    note("warning: {}\n", line);
  return found;
}

BatchPlan batch_plan(const TrainConfig& config, const RunFaces& faces) {
  const bool sampled = config.objective.loss.pairs == PairMode::sampled &&
                       has(config.objective.heads, Task::embedding);
  const std::vector<float> ages = training_ages(faces);
  const std::vector<double> weights = draw_weights(ages, config.balance);
  BatchPlan positions;
  if (sampled) {
    positions = [sampler =
                     PairSampler(ages, config.objective.loss.tau, config.positive_share, weights),
                 seed = config.seed, pairs = config.batch / 2](std::uint64_t step) {
      Random random(seed, kPairStream + step);
      return sampler.sample(random, pairs);
    };
  } else if (!weights.empty()) {
    positions = weighted_batches(weights, config.batch, config.seed);
  } else {
    positions = shuffled_batches(faces.training(), config.batch, config.seed);
  }
  return [&faces, positions](std::uint64_t step) {
    std::vector<Index> chosen = positions(step);
    for (Index& i : chosen) i = faces.split.training[static_cast<std::size_t>(i)];
    return chosen;
  };
}

}  // namespace twinage
