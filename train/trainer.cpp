#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "core/content_hash.h"
#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/initialize.h"
#include "train/model_maker.h"
#include "train/session_log.h"
#include "train/start_weights.h"
#include "train/step_factor.h"

namespace twinage {
namespace {

constexpr Index kMeasured = 64;  // faces: a batch

TrainRequest checked(TrainRequest request) {
  check_settings(request.config);
  if (request.shard_optimizer && request.engine.exchange == Exchange::nccl)
    throw UsageError(
        "[train] NCCL's own sums are on all processes, and there is nothing to share out: leave "
        "out "
        "--shard-optimizer or --exchange nccl");
  return request;
}

}  // namespace

Trainer::Trainer(TrainRequest request)
    : request_(checked(std::move(request))),
      directory_(request_.out),
      engine_(request_.engine),
      network_(preset(request_.config.preset), request_.config.objective.heads,
               head_forms(request_.config.objective, request_.config.embedding),
               request_.config.radius, request_.config.freeze),
      optimizer_(network_.place_on(engine_.context().device), network_.parameters(),
                 request_.config.adadelta),
      average_(network_.place_on(engine_.context().device), network_.parameters(),
               request_.config.average),
      objective_(request_.config.objective, request_.config.batch, request_.config.embedding,
                 engine_.context().device),
      training_step_(engine_, network_, objective_, optimizer_,
                     Shards(request_.config.batch, request_.config.shards, engine_.exchange()),
                     request_.config.seed) {
  const TrainConfig& config = request_.config;
  Ranks& ranks = engine_.ranks();
  require_like_minded();
  // Before hours of faces are decoded; and nothing of a run is read or written without the lock.
  ranks.on_first([&] {
    require_folder();
    lock_ = std::make_unique<RunLock>(directory_, bytes_of_state(network_.parameters()));
    require_folder();
  });
  faces_ = find_run_faces(config, engine_.context().threads, ranks);
  ranks.together([&] { begin_with(); });
  average_.start(engine_.context());
  if (request_.shard_optimizer) training_step_.share_out_optimizer();
  if (request_.resume)
    ranks.together([&] {
      state_ = saved_ =
          load_state(directory_, config, engine_.context(), faces_->faces.faces, weights());
      last_checkpoint_ = state_.step;
    });
  clock_ = std::make_unique<RunClock>(config, faces_->training(), [&ranks] { return ranks.now(); });
  steps_ = std::make_unique<StepLog>(config, faces_->training());
  ranks.on_first([&] { begin_files(); });
}

// Other weights on one of the ranks, and their sums would be of nothing.
void Trainer::require_like_minded() const {
  const Ranks& ranks = engine_.ranks();
  ranks.require_same("build of Twinage", request_.commit);
  ranks.require_same("arithmetic", arithmetic_of(engine_.context()));
  ranks.require_same("--exchange", to_string(request_.engine.exchange));
  const std::string config = to_toml(request_.config);
  ranks.require_same("configuration",
                     fmt::format("{:x}", content_hash(std::as_bytes(std::span(config)))));
}

void Trainer::begin_files() {
  const TrainConfig& config = request_.config;
  log_ = std::make_unique<MetricsLog>(directory_.metrics(), state_.step);
  write_file_atomically(directory_.config(), to_toml(config));
  log_session(directory_.sessions(), {state_.step, utc_now(), request_.commit, request_.machine},
              !request_.resume);
}

void Trainer::begin_with() {
  const TrainConfig& config = request_.config;
  initialize(network_.parameters(), config.seed);
  if (config.from.empty()) return;
  const std::vector<Parameter*> tower = network_.tower_parameters();
  optimizer_.slow_down(
      static_cast<std::size_t>(std::ranges::count(tower, true, &Parameter::trained)),
      config.loaded_factor);
  // A state has them already, whatever became of the file.
  if (!request_.resume) note("{}\n", start_from(config, network_));
}

void Trainer::require_folder() const {
  if (request_.resume) return directory_.require_state();
  std::error_code missing;
  if (std::filesystem::equivalent(request_.out, request_.config.data, missing))
    throw UsageError(fmt::format("[train] --out {} is the folder of --data: choose another --out",
                                 request_.out.string()));
  directory_.require_new();
}

RunParts Trainer::parts() {
  return {request_.config, directory_, engine_, network_, *faces_, request_.stop};
}

RunWeights Trainer::weights() {
  return {network_.parameters(), optimizer_, best_, average_};
}

TrainEnd Trainer::run() {
  clock_->start(state_.seconds);
  checkpoint_time_ = clock_->elapsed();
  steps_->start(state_.seconds);
  try {
    reserve_time();
    train_to_the_end();
    save_state();
    engine_.ranks().on_first([&] { log_->require_written(); });
    return state_.over && !state_.validation_pending ? finish() : TrainEnd::stopped;
  } catch (const FacesLost& lost) {
    end_saved(lost.reason);
  } catch (const Error& error) {
    record({{"event", "failed"}, {"step", state_.step}, {"reason", error.what()}});
    throw;
  }
}

void Trainer::train_to_the_end() {
  Progress bar("training");
  if (state_.validation_pending && !validate(bar)) return;
  if (progress() < 1) train(bar);
  if (!training_step_.not_recorded().empty())
    note("the step ran kernel by kernel, not as a CUDA graph: {}\n", training_step_.not_recorded());
  if (progress() < 1) return;
  state_.over = true;
  if (state_.last_validation != state_.step || state_.step == 0) validate(bar);
}

void Trainer::train(Progress& bar) {
  const TrainConfig& config = request_.config;
  training_step_.plan();
  Loader loader(faces_->faces, *faces_->store, batch_plan(config, *faces_), network_.preset().input,
                config.augment, config.seed, state_.step, config.workers, 3,
                training_step_.places());
  std::exception_ptr lost;
  const Batch* batch = nullptr;
  const auto send_next = [&] {
    try {
      batch = &loader.next();
      training_step_.send(*batch);
    } catch (...) {  // a picture that can no longer be read; what has begun is ended first
      lost = std::current_exception();
    }
    lost = engine_.ranks().first_error(lost);
  };
  send_next();
  while (!lost && progress() < 1 && !parts().stopped()) {
    const double factor = step_factor(config, state_.step, progress());
    training_step_.begin(*batch);
    // While a GPU computes, its next batch is on the way.
    send_next();
    const ObjectiveValue value = training_step_.loss();
    guard_finite(value);
    training_step_.update(factor);
    done_step(value, factor, bar);
    state_.validation_pending = clock_->validation_due(state_) && progress() < 1;
    if (state_.validation_pending && !lost) {
      if (!validate(bar)) return;
      training_step_.plan();
    }
    if (checkpoint_due()) checkpoint();
  }
  if (lost && progress() < 1) throw FacesLost{lost};
}

void Trainer::done_step(const ObjectiveValue& value, double factor, Progress& bar) {
  ++state_.step;
  average_.add(engine_.context(), state_.step);
  const auto means = steps_->add(value, state_.step, factor, clock_->elapsed());
  bar.update(progress(), steps_->line());
  if (means) record(*means);
}

void Trainer::record(const nlohmann::ordered_json& line) {
  if (log_) log_->write(line);
}

bool Trainer::validate(Progress& bar) {
  state_.validation_pending = true;
  engine_.ranks().meet(false);  // for the time: the last step's is not the validation's
  const double started = clock_->elapsed();
  const AverageInPlace averaged(average_);
  Validator validator(parts());
  const std::optional<Validations> seen = validator.validate();
  if (!seen) return false;
  engine_.ranks().meet(false);  // as above
  record(to_record(*seen, state_.step, clock_->elapsed()));
  bar.line(to_text(*seen, state_.step));
  keep_if_best(seen->held_out);
  state_.last_validation = state_.step;
  state_.validation_pending = false;
  state_.validated_at = clock_->elapsed();
  const double seconds = state_.validated_at - started;
  clock_->validation_took(seconds);
  steps_->leave_out(seconds);
  reserve_time(seconds / static_cast<double>(validator.faces()));
  return true;
}

void Trainer::keep_if_best(const Validation& held_out) {
  if (state_.best_step > 0 && !(held_out.mae < state_.best_mae)) return;
  state_.best_mae = held_out.mae;
  state_.best_step = state_.step;
  best_.take(network_.parameters());
}

TrainEnd Trainer::finish() {
  best_.put_back(network_.parameters());
  ModelMaker maker(parts());
  if (!maker.make(state_)) return TrainEnd::stopped_in_gallery;
  note("best held-out MAE {:.2f} years at step {} of {}; model in {}\n", state_.best_mae,
       state_.best_step, state_.step, directory_.model().string());
  return TrainEnd::finished;
}

// Before the first validation there is nothing to go by but a batch of faces.
void Trainer::reserve_time() {
  if (!clock_->by_minutes() || state_.over) return;
  Ranks& ranks = engine_.ranks();
  const std::vector<Index> faces = spread(faces_->split.training, ranks.size() * kMeasured);
  const EmbedOptions options = GalleryPlan{}.options();
  embed_faces(engine_, network_, *faces_->store, faces, options);  // the first time takes longer
  ranks.meet(false);
  const double start = clock_->elapsed();
  embed_faces(engine_, network_, *faces_->store, faces, options);
  ranks.meet(false);
  reserve_time((clock_->elapsed() - start) / static_cast<double>(faces.size()));
  note("of the {} minutes the last {} or so are for a validation and the gallery\n",
       request_.config.minutes, duration_text(clock_->reserved()));
}

void Trainer::reserve_time(double seconds_of_a_face) {
  if (!clock_->by_minutes()) return;
  const RunParts run = parts();
  const auto validated = static_cast<double>(Validator(run).faces());
  clock_->reserve(seconds_of_a_face * validated + ModelMaker(run).seconds(seconds_of_a_face));
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
      value.total, state_.step + 1, good);
}

void Trainer::guard_weights() {
  for (const Parameter* p : network_.parameters())
    require(all_finite(engine_.context(), p->value.view()),
            "[train] {} is no longer finite after step {}: the last good state is that of step {} "
            "in {}; train anew with a smaller optimizer.factor",
            p->name, state_.step, last_checkpoint_, directory_.folder().string());
}

bool Trainer::checkpoint_due() const {
  const TrainConfig& config = request_.config;
  return clock_->elapsed() - checkpoint_time_ >= config.checkpoint_seconds ||
         (config.checkpoint_steps > 0 &&
          state_.step % static_cast<std::uint64_t>(config.checkpoint_steps) == 0);
}

void Trainer::checkpoint() {
  guard_weights();
  try {
    write_state();
  } catch (const Error& error) {
    note(
        "note: the state of step {} could not be saved ({}): training goes on, and the next "
        "checkpoint tries again\n",
        state_.step, error.what());
  }
  checkpoint_time_ = clock_->elapsed();
}

void Trainer::save_state() {
  if (state_.same_place(saved_) && state_.step > 0) return;
  guard_weights();
  try {
    write_state();
  } catch (const Error& error) {
    fail("[train] the state of step {} could not be saved ({}): {} holds that of step {}",
         state_.step, error.what(), directory_.folder().string(), last_checkpoint_);
  }
}

void Trainer::write_state() {
  state_.seconds = clock_->elapsed();
  training_step_.collect_optimizer();
  engine_.ranks().on_first([&] {
    log_->flush();
    twinage::save_state(directory_, state_, request_.config, engine_.context(), faces_->faces.faces,
                        weights());
  });
  last_checkpoint_ = state_.step;
  saved_ = state_;
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
        why, state_.step, directory_.folder().string());
  } catch (...) {
    save_state();
    throw;
  }
}

}  // namespace twinage
