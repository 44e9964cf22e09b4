// How much of its faces a run embeds for the finished model: the gallery's references, and the
// held-out faces that calibrate it.
//
// A network without an embedding has nothing to compare: no references then, which cost nothing.
//
// [ours] Six looks at every face of a large data set can take longer than the training. So the
// network's runs for them are counted, and are at most a share of training's
// (readout.gallery_share, a tenth): a step runs the network once for each face of the batch, and
// its backward pass costs about two runs more. The clock has no part in it, so that runs by steps
// stay repeatable.
#pragma once
#include "train/model/embedder.h"
#include "train/settings/config.h"

namespace twinage {

struct GalleryPlan {
  Index references = 0, held_out = 0;  // faces
  bool mirror = false, zooms = false;  // looks at each of them: EmbedOptions

  bool operator==(const GalleryPlan&) const = default;
  EmbedOptions options() const;
  Index runs() const;  // of the network, for one face each
};

// Of the first model, which is written at once: one look at no more than a few hundred faces.
GalleryPlan first_gallery(const TrainConfig& config, Index training, Index held_out);

// Of the finished model of `steps` steps, with as many looks (the configuration's at most) as leave
// more faces than the first model has; the first model's plan when none does. training and
// held_out: faces that there are.
GalleryPlan full_gallery(const TrainConfig& config, Index training, Index held_out,
                         std::uint64_t steps);

// The same if nothing limited it but readout.gallery_max.
GalleryPlan unlimited_gallery(const TrainConfig& config, Index training, Index held_out);

// At most `most` of the indices, evenly spread.
std::vector<Index> spread(const std::vector<Index>& indices, Index most);

}  // namespace twinage
