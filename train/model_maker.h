// The end of a run: the finished model's gallery and calibration, which can take minutes, in parts
// that can be stopped and resumed.
#pragma once
#include "train/gallery_plan.h"
#include "train/model/embedder.h"
#include "train/run_parts.h"
#include "train/run_state.h"

namespace twinage {

class ModelMaker {
 public:
  explicit ModelMaker(const RunParts& run) : run_(run) {}

  // What it will take in a run by minutes, given the seconds that the network takes for one face.
  double seconds(double of_a_face) const;

  // Writes RUN/model.safetensors of the network's weights, which are those of state.best_step: a
  // first model at once, of few references, and the finished one in its place. False: stopped in
  // the middle; the first model is there, and the next call goes on. Throws FacesLost, and Error
  // when the model cannot be written.
  bool make(const RunState& state);

 private:
  void embed(const GalleryPlan& plan, const EmbedOptions& options, Embedded& so_far) const;
  void embed_with_saves(const GalleryPlan& plan, const RunState& state, Embedded& so_far) const;
  void make_first(const GalleryPlan& plan, const RunState& state) const;
  void write_model(const GalleryPlan& plan, const RunState& state, const Embedded& embedded) const;
  void write_calibrated(const GalleryPlan& plan, const RunState& state,
                        const Embedded& embedded) const;
  // The unfinished gallery's file.
  std::string key(const GalleryPlan& plan, const RunState& state) const;
  void save(const GalleryPlan& plan, const RunState& state, const Embedded& so_far) const;
  Embedded load(const GalleryPlan& plan, const RunState& state) const;

  RunParts run_;
};

}  // namespace twinage
