#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "layers/initialize.h"
#include "train/faces/copies.h"
#include "train/model/model_file.h"

namespace twinage {
namespace {

using Clock = std::chrono::steady_clock;

// Streams of the run's seed, one for each purpose.
constexpr std::uint64_t kSplitStream = 0x5350'4C49'5400'0000, kPairStream = 0x5041'4952'0000'0000;
constexpr double kValidationShare = 0.05;  // of a run's minutes, at most
constexpr int kValidations = 15;           // of a run, unless set
constexpr double kMaxBadShare = 0.5;       // of pictures that cannot be decoded

TrainRequest checked(TrainRequest request) {
  validate(request.config);
  return request;
}

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
                                      int threads) {
  const auto found = dataset.faces.size();
  std::unique_ptr<FaceStore> store;
  {
    Progress bar("reading " + what);
    store = std::make_unique<FaceStore>(
        dataset, preset(preset_name).load, threads, memory, [&](Index done, Index total) {
          bar.update(static_cast<double>(done) / static_cast<double>(total),
                     fmt::format("{} of {}", done, total));
        });
  }
  const auto bad = found - dataset.faces.size();
  require(static_cast<double>(bad) <= kMaxBadShare * static_cast<double>(found),
          "[data] {} of {} pictures cannot be decoded, the last one: {}: {}", bad, found,
          dataset.skipped.empty() ? "" : dataset.skipped.back().path,
          dataset.skipped.empty() ? "" : dataset.skipped.back().reason);
  merge_and_say(dataset, *store, what);
  return store;
}

}  // namespace

Trainer::Trainer(TrainRequest request)
    : request_(checked(std::move(request))),
      directory_(request_.out),
      engine_(request_.engine),
      network_(preset(request_.config.preset), request_.config.embedding,
               request_.config.objective.heads),
      optimizer_(network_.place_on(engine_.context().device), network_.parameters(),
                 request_.config.adadelta),
      objective_(request_.config.objective, request_.config.batch, request_.config.embedding,
                 engine_.context().device),
      training_step_(engine_, network_, objective_, optimizer_, request_.config.batch,
                     request_.config.seed) {
  // Before hours of faces are decoded; and nothing of a run is read or written without the lock.
  require_folder();
  lock_ = std::make_unique<RunLock>(directory_, bytes_of_state());
  require_folder();
  find_and_split_faces();
  initialize(network_.parameters(), request_.config.seed);
  if (request_.resume) resume_from_state();
  log_ = std::make_unique<MetricsLog>(directory_.metrics(), step_);
  write_file_atomically(directory_.config(), to_toml(request_.config));
}

void Trainer::require_folder() const {
  if (request_.resume) return directory_.require_state();
  std::error_code missing;
  if (std::filesystem::equivalent(request_.out, request_.config.data, missing))
    throw UsageError(fmt::format("[train] --out {} is the folder of --data: choose another --out",
                                 request_.out.string()));
  directory_.require_new();
}

std::uint64_t Trainer::bytes_of_state() {
  std::uint64_t floats = 0;
  for (const Parameter* p : network_.parameters())
    floats += static_cast<std::uint64_t>(p->value.size());
  return 4 * floats * sizeof(float);  // weights, ADADELTA's two means, the best weights
}

void Trainer::find_and_split_faces() {
  const TrainConfig& config = request_.config;
  faces_ = find_faces(config.data, config.age_ranges, config.format);
  const int threads = engine_.context().threads;
  std::size_t memory = bytes_of(config.memory_gb);
  store_ = open_store(faces_, config.data, config.preset, memory, threads);
  if (!config.val.empty()) {
    val_faces_ = find_faces(config.val, config.age_ranges, config.format);
    memory -= static_cast<std::size_t>(store_->kept()) * store_->bytes_of_face();
    val_store_ = open_store(val_faces_, config.val, config.preset, memory, threads);
    val_ = all_of(val_faces_);
    leave_out_common(faces_, *store_, val_faces_);
  }
  const Index held_out = held_out_count(store_->size(), config.held_out, config.held_out_max);
  split_ = split_faces(faces_.faces, held_out, Random(config.seed, kSplitStream));
  for (const std::string& line : concerns(faces_.faces, split_.training))
    note("warning: {}\n", line);
}

BatchPlan Trainer::batch_plan() const {
  const TrainConfig& config = request_.config;
  const auto count = static_cast<Index>(split_.training.size());
  BatchPlan positions;
  if (network_.has(Task::embedding) && config.objective.loss.pairs == PairMode::sampled) {
    std::vector<float> ages;
    for (Index i : split_.training) ages.push_back(faces_.faces[static_cast<std::size_t>(i)].age);
    positions = [sampler = PairSampler(ages, config.objective.loss.tau, config.positive_share),
                 seed = config.seed, pairs = config.batch / 2](std::uint64_t step) {
      Random random(seed, kPairStream + step);
      return sampler.sample(random, pairs);
    };
  } else {
    positions = shuffled_batches(count, config.batch, config.seed);
  }
  return [this, positions](std::uint64_t step) {
    std::vector<Index> chosen = positions(step);
    for (Index& i : chosen) i = split_.training[static_cast<std::size_t>(i)];
    return chosen;
  };
}

double Trainer::elapsed_seconds() const {
  return seconds_before_ + std::chrono::duration<double>(Clock::now() - start_).count();
}

double Trainer::progress() const {
  const TrainConfig& config = request_.config;
  const auto done = static_cast<double>(step_);
  if (config.minutes > 0)
    return over_ ? 1.0 : std::min(1.0, elapsed_seconds() / (60 * config.minutes - reserve_));
  const double steps = config.steps > 0
                           ? static_cast<double>(config.steps)
                           : std::ceil(config.epochs * static_cast<double>(split_.training.size()) /
                                       static_cast<double>(config.batch));
  return std::min(1.0, done / steps);
}

bool Trainer::validation_due() const {
  const TrainConfig& config = request_.config;
  if (config.validate_steps > 0)
    return step_ - last_validation_ >= static_cast<std::uint64_t>(config.validate_steps);
  if (config.minutes > 0)
    return elapsed_seconds() - validated_at_ >=
           std::max(60 * config.minutes / kValidations, validation_seconds_ / kValidationShare);
  // By steps, not by the clock: which weights are best must not depend on how fast they came.
  const double share_since =
      progress() * static_cast<double>(step_ - last_validation_) / static_cast<double>(step_);
  return share_since >= 1.0 / kValidations;
}

void Trainer::guard_finite(const ObjectiveValue& value) const {
  if (std::isfinite(value.total)) return;
  const std::string good = last_checkpoint_ == 0
                               ? "nothing was saved before"
                               : fmt::format("the last good state is that of step {} in {}",
                                             last_checkpoint_, directory_.folder().string());
  fail(
      "[train] the loss became {} at step {}: {}; train anew with a smaller optimizer.factor or a "
      "larger optimizer.epsilon",
      value.total, step_ + 1, good);
}

void Trainer::record_steps(const ObjectiveValue& value, double factor, Progress& bar) {
  sums_.total += value.total;
  for (const Task task : kTasks) {
    sums_.loss[task] += value.heads[task].loss;
    sums_.figure[task] += value.heads[task].figure;
  }
  ++sums_.steps;
  const auto n = static_cast<double>(sums_.steps),
             batch = static_cast<double>(request_.config.batch);
  const double seconds = elapsed_seconds();
  const double rate = n * batch / std::max(1e-9, seconds - recorded_at_);
  const double epoch =
      static_cast<double>(step_) * batch / static_cast<double>(split_.training.size());
  bar.update(progress(), fmt::format("epoch {:.1f}  loss {:.4f}  {:.0f} images/s", epoch,
                                     sums_.total / n, rate));
  if (sums_.steps < request_.config.record_steps) return;
  nlohmann::ordered_json record = {{"event", "step"},
                                   {"step", step_},
                                   {"epoch", epoch},
                                   {"seconds", seconds},
                                   {"loss", sums_.total / n}};
  for (const Task task : request_.config.objective.heads) {
    record["losses"][to_string(task)] = sums_.loss[task] / n;
    const std::string name(value.heads[task].figure_name);
    if (!name.empty()) record[name] = sums_.figure[task] / n;
  }
  record["factor"] = factor;
  record["images_per_second"] = rate;
  log_->write(record);
  sums_ = {};
  recorded_at_ = seconds;
}

bool Trainer::checkpoint_due() const {
  const TrainConfig& config = request_.config;
  const double since = std::chrono::duration<double>(Clock::now() - checkpoint_time_).count();
  return since >= config.checkpoint_seconds ||
         (config.checkpoint_steps > 0 &&
          step_ % static_cast<std::uint64_t>(config.checkpoint_steps) == 0);
}

void Trainer::train(Progress& bar) {
  const TrainConfig& config = request_.config;
  training_step_.plan();
  Loader loader(faces_, *store_, batch_plan(), network_.preset().input, config.augment, config.seed,
                step_, config.workers, 3);
  std::exception_ptr lost;
  const Batch* batch = nullptr;
  const auto send_next = [&] {
    try {
      batch = &loader.next();
      training_step_.send(*batch);
    } catch (...) {  // a picture that can no longer be read; what has begun is ended first
      lost = std::current_exception();
    }
  };
  send_next();
  while (!lost && progress() < 1 && !stopped()) {
    const double factor = step_factor(config, step_, progress());
    training_step_.begin(*batch);
    // While a GPU computes, its next batch is on the way.
    send_next();
    const ObjectiveValue value = training_step_.loss();
    guard_finite(value);
    training_step_.update(factor);
    ++step_;
    record_steps(value, factor, bar);
    validation_pending_ = validation_due() && progress() < 1;
    if (validation_pending_ && !lost) {
      if (!validate(bar)) return;
      training_step_.plan();
    }
    if (checkpoint_due()) checkpoint();
  }
  if (lost && progress() < 1) end_saved(lost);
}

// A picture was lost, say: what has been learnt is not.
void Trainer::end_saved(std::exception_ptr reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const Error& error) {
    const std::string why = error.what();
    try {
      save_state();
    } catch (const Error& unsaved) {
      fail("{}; and {}", why, unsaved.what());
    }
    fail(
        "{}; the run is saved at step {}: when that is put right, continue with 'twinage train "
        "--resume --out {}'",
        why, step_, directory_.folder().string());
  } catch (...) {
    save_state();
    throw;
  }
}

void Trainer::train_to_the_end() {
  Progress bar("training");
  if (validation_pending_ && !validate(bar)) return;
  if (progress() < 1) train(bar);
  if (!training_step_.not_recorded().empty())
    note("the step ran kernel by kernel, not as a CUDA graph: {}\n", training_step_.not_recorded());
  if (progress() < 1) return;
  over_ = true;
  if (last_validation_ != step_ || step_ == 0) validate(bar);
}

TrainEnd Trainer::run() {
  start_ = checkpoint_time_ = Clock::now();
  recorded_at_ = seconds_before_;
  reserve_time();
  train_to_the_end();
  save_state();
  log_->require_written();
  return over_ && !validation_pending_ ? finish() : TrainEnd::stopped;
}

}  // namespace twinage
