#include "train/settings/settings.h"

#include "layers/backbones/backbone.h"
#include "train/faces/formats/format.h"
#include "train/settings/setting_list.h"

namespace twinage {
namespace {

constexpr Resume kShared = Resume::must_share, kFree = Resume::may_differ;
// TOML has no larger whole numbers.
const Allowed kAnySeed{"0 to 9223372036854775807",
                       [](long double x) { return x >= 0 && x <= 9223372036854775807.0L; },
                       {}};

Allowed freezes() {
  return {"none, stem, or how many blocks: 1, 2, ...", {}, is_freeze};
}

void add_model(SettingList& list, TrainConfig& c) {
  list.add("recipe", c.recipe, one_of(recipe_names()), kFree,
           "where the values began: --recipe NAME sets all of them");
  list.add("model.preset", c.preset, one_of(preset_names()), kShared,
           "the tower, its input and its width: 'twinage info --preset NAME' tells");
  list.add("model.embedding", c.embedding, from_to(1, 4096), kShared,
           "numbers of an embedding: what distances are taken between");
  list.add_since("model.radius", c.radius, 0.0, at_least(0), kShared,
                 "of the sphere that embeddings are scaled onto; 0: their length is free");
  list.add_later("model.from", c.from, anything(), kShared,
                 "--from: weights that the tower begins with, .safetensors or .pth, or a run");
  list.add_later(
      "model.from_input", c.from_input, {}, kShared,
      "what those weights were fed: bytes / 255 less 0.5, over 0.5 (torchvision, timm), or "
      "ImageNet's means and deviations");
  list.add_later("model.freeze", c.freeze, freezes(), kShared,
                 "--freeze: what of the tower stays as it began: none, stem, or so many blocks");
  list.add_later("model.heads", c.objective.heads, {}, kShared,
                 "what is learnt: an embedding (age by comparison), gender, age (as such)");
}

void add_data(SettingList& list, TrainConfig& c) {
  list.add("data.train", c.data, anything(), kFree, "--data: faces to train on");
  list.add("data.val", c.val, anything(), kFree, "--val: faces to validate on, never trained on");
  list.add_later("data.format", c.format, one_of(face_format_names()), kFree,
                 "the layout of the faces, where 'auto' does not recognise it");
  list.add("data.age_ranges", c.age_ranges, {}, kShared,
           "what becomes of an age that is a range, 25-32: the face is left out, or its middle is "
           "taken");
  list.add_later(
      "data.split", c.split, anything(), kShared,
      "--split: a file that says which faces of --data are trained on ('twinage split')");
  list.add_later("data.fold", c.fold, at_least(0), kShared,
                 "--fold: of a split into folds the one that is left out");
  list.add("data.held_out", c.held_out, between(0, 1), kShared,
           "share of the training faces kept aside to choose the best weights and to calibrate "
           "intervals; of small sets more is kept");
  list.add("data.held_out_max", c.held_out_max, at_least(2), kShared, "and at most so many faces");
  list.add_later("data.balance", c.balance.balance, from_to(0, 1), kShared,
                 "how much more often faces of rare ages are drawn: by density^-this, so that 1 "
                 "draws every age as often as every other (train/faces/balance.h)");
  list.add_later("data.balance_children", c.balance.children, from_to(0, kMostDraws), kShared,
                 "faces under 10 are drawn at least so many times as often as the mean face");
  list.add("data.memory_gb", c.memory_gb, at_least(0), kFree,
           "for decoded faces; those beyond are decoded anew each time");
  list.add("data.workers", c.workers, from_to(1, 256), kFree,
           "threads that prepare batches; the batches do not depend on it");
}

void add_loss(SettingList& list, TrainConfig& c) {
  ByTask<HeadOptions>& head = c.objective.head;
  LossOptions& loss = c.objective.loss;
  const auto losses_of = [](Task task) { return one_of(loss_names(task)); };
  list.add("loss.kind", head[Task::embedding].loss, losses_of(Task::embedding), kShared,
           "of the embedding's distances");
  list.add("loss.pairs", loss.pairs, {}, kShared,
           "which faces of a batch a loss of pairs compares: every two, or P sampled pairs of 2P "
           "faces (the paper's way)");
  list.add("loss.balanced", loss.balanced, anything(), kShared,
           "whether pairs of the same class weigh one half, however few they are");
  list.add("loss.positive_share", c.positive_share, from_to(0, 1), kShared,
           "of sampled pairs: those of the same class");
  list.add("loss.margin", loss.margin, above(0), kShared,
           "distance beyond which a pair of different classes is left alone; of triplets and "
           "lifted: by which the other class must be farther away");
  list.add("loss.tau", loss.tau, at_least(0), kShared,
           "years: faces no further apart in age are of the same class");
  list.add("loss.gap_max", loss.gap_max, above(0), kShared,
           "years from which on graded-contrastive asks for the whole margin; the gap to which "
           "scale-varying-triplet compares others");
  list.add("loss.scale", loss.scale, above(0), kShared,
           "years per unit of distance, of gap-regression");
  list.add("loss.beta", loss.beta, above(0), kShared,
           "corner of gap-regression's smooth-L1, in units of distance");
  list.add_later("loss.gap_min", loss.gap_min, above(0), kShared,
                 "years: log-ratio counts a smaller gap as this");
  list.add_later("loss.temperature", loss.temperature, above(0), kShared,
                 "of rank-n-contrast: the distance by which a face is e times less likely");
  list.add("loss.gender_weight", head[Task::gender].weight, at_least(0), kShared,
           "of the gender head's loss");
  // Of each head its loss and weight. Two of them are older than the list of heads and stand above.
  for (const Task task : kTasks) {
    const std::string name = to_string(task);
    if (task != Task::gender)
      list.add_later(fmt::format("loss.{}_weight", name), head[task].weight, at_least(0), kShared,
                     fmt::format("of the {} head's loss", name));
    if (task != Task::embedding)
      list.add_later(fmt::format("loss.{}_kind", name), head[task].loss, losses_of(task), kShared,
                     fmt::format("of the {} head", name));
  }
  list.add_later("loss.age_sigma", loss.age_sigma, above(0), kShared,
                 "years: of label-distribution, how far a face's age spreads over its neighbours");
  list.add_later("loss.age_error", loss.age_error, at_least(0), kShared,
                 "of label-distribution: weight of the mean's error");
  list.add_later("loss.age_mean", loss.age_mean, at_least(0), kShared,
                 "of mean-variance: weight of half the square of the mean's error");
  list.add_later("loss.age_variance", loss.age_variance, at_least(0), kShared,
                 "of mean-variance: weight of the distribution's variance");
}

void add_augment(SettingList& list, TrainConfig& c) {
  AugmentOptions& a = c.augment;
  list.add("augment.flip", a.flip, anything(), kShared, "mirror every other face");
  list.add("augment.crop", a.crop, anything(), kShared, "look at a random part, not the middle");
  list.add("augment.zoom", a.zoom, from_to(0, 0.9), kShared,
           "the part's side varies by this share either way");
  list.add("augment.rotation", a.rotation, from_to(0, 180), kShared, "degrees either way");
  list.add("augment.brightness", a.brightness, from_to(0, 1), kShared,
           "added either way, as a share of full scale");
  list.add("augment.contrast", a.contrast, from_to(0, 1), kShared, "factor 1 +- this");
  list.add("augment.saturation", a.saturation, from_to(0, 1), kShared, "factor 1 +- this");
  list.add("augment.erase", a.erase, from_to(0, 1), kShared,
           "probability of a random grey rectangle");
}

void add_optimizer(SettingList& list, TrainConfig& c) {
  list.add("optimizer.rho", c.adadelta.rho, between(0, 1), kShared,
           "ADADELTA: how long its running means remember");
  list.add("optimizer.epsilon", c.adadelta.epsilon, above(0), kShared,
           "ADADELTA: what starts it and keeps its ratio finite");
  list.add("optimizer.weight_decay", c.adadelta.weight_decay, at_least(0), kShared,
           "added to the gradient, times the weight");
  list.add("optimizer.factor", c.factor, above(0), kShared,
           "step factor: what other optimizers call the learning rate; ADADELTA's own is 1");
  list.add("optimizer.schedule", c.schedule, {}, kShared,
           "how the step factor falls over the run: not at all, or along half a cosine to 0");
  list.add("optimizer.warmup_steps", c.warmup_steps, at_least(0), kShared,
           "over these the step factor grows from 0");
  list.add_later("optimizer.loaded_factor", c.loaded_factor, from_to(0, 1), kShared,
                 "of a tower that began with --from: its share of the step factor");
  list.add_since("optimizer.average", c.average, 0.0, from_below(0, 1), kShared,
                 "decay of the moving average of the weights that becomes the model; 0: none");
}

void add_training(SettingList& list, TrainConfig& c) {
  list.add("training.batch", c.batch, even_from(2), kShared, "faces a step");
  list.add_later("training.shards", c.shards, at_least(1), kShared,
                 "parts of a batch whose sums are formed apart: up to so many processes train "
                 "together, with the same bits (docs/many_twins.md)");
  list.add("training.steps", c.steps, at_least(0), kFree,
           "how long to train: exactly one of these three is above 0");
  list.add("training.epochs", c.epochs, at_least(0), kFree, "passes over the training faces");
  list.add("training.minutes", c.minutes, at_least(0), kFree,
           "of the clock; the same seed then does not give the same bits");
  list.add("training.seed", c.seed, kAnySeed, kShared, "of everything random");
  list.add("training.validate_steps", c.validate_steps, at_least(0), kFree,
           "validate every so many steps; 0: about fifteen times a run");
  list.add("training.checkpoint_seconds", c.checkpoint_seconds, at_least(0), kFree,
           "save the state every so often");
  list.add("training.checkpoint_steps", c.checkpoint_steps, at_least(0), kFree,
           "and every so many steps; 0: not by steps");
  list.add("training.record_steps", c.record_steps, at_least(1), kFree,
           "metrics.jsonl gets the mean losses of every so many steps");
}

void add_readout(SettingList& list, TrainConfig& c) {
  list.add("readout.kind", c.readout.kind, {}, kFree,
           "how an age is read from an embedding; 'twinage eval --readout NAME' tries another");
  list.add("readout.k", c.readout.k, at_least(1), kFree, "neighbours of read-out knn");
  list.add("readout.mirror", c.mirror, anything(), kFree,
           "an embedding is the mean over a face and its mirror image");
  list.add("readout.zooms", c.zooms, anything(), kFree, "and over three distances");
  list.add("readout.gallery_max", c.gallery_max, at_least(1), kFree,
           "reference faces kept in the model");
  list.add("readout.gallery_share", c.gallery_share, at_least(0), kFree,
           "what embedding them may cost, as a share of training (train/gallery_plan.h)");
}

}  // namespace

std::vector<Setting> settings_of(TrainConfig& config) {
  SettingList list;
  add_model(list, config);
  add_data(list, config);
  add_loss(list, config);
  add_augment(list, config);
  add_optimizer(list, config);
  add_training(list, config);
  add_readout(list, config);
  return list.done();
}

}  // namespace twinage
