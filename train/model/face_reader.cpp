#include "train/model/face_reader.h"

#include <algorithm>
#include <numeric>

#include "core/parallel.h"
#include "train/faces/copies.h"

namespace twinage {

FaceReader::FaceReader(const std::filesystem::path& run, Engine engine,
                       std::optional<ReadoutKind> readout)
    : model_(load_model(run)), engine_(std::move(engine)) {
  use_readout(readout.value_or(model_.config.readout.kind));
}

void FaceReader::use_readout(ReadoutKind kind) {
  require_readable(kind, inputs_of(model_.config.objective));
  options_.kind = kind;
  options_.k = model_.config.readout.k;
  readout_ = std::make_unique<AgeReadout>(model_.gallery, model_.calibration, options_);
}

bool FaceReader::watch_crops() {
  if (!model_.crop || !has_face_detector()) return false;
  for (int i = 0; i < std::max(1, context().threads); ++i)
    detectors_.push_back(std::make_unique<FaceDetector>(DetectorOptions{}));
  return true;
}

std::vector<std::string> FaceReader::crops_of(const std::vector<Face>& faces) {
  std::vector<std::string> said(detectors_.empty() ? 0 : faces.size());
  parallel_for(static_cast<int>(detectors_.size()), static_cast<Index>(said.size()),
               [&](Index i, int thread) {
                 const auto at = static_cast<std::size_t>(i);
                 const Face& face = faces[at];
                 try {
                   const auto place =
                       face_place(face.picture ? decode_image(*face.picture, face.path)
                                               : read_image(face.path),
                                  *detectors_[static_cast<std::size_t>(thread)]);
                   if (place) said[at] = unlike_crop(*model_.crop, *place);
                 } catch (const Error&) {  // gone since it was read
                 }
               });
  return said;
}

void FaceReader::keep_votes() {
  options_.votes = true;
  use_readout(options_.kind);
}

Readings FaceReader::read_pictures(std::vector<Face> pictures) {
  FaceDataset dataset;
  dataset.faces = std::move(pictures);
  return read(std::move(dataset), {}, FaceStore::WhenNone::go_on);
}

Readings FaceReader::read(const std::vector<std::string>& paths) {
  std::vector<Face> pictures(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) pictures[i].path = paths[i];
  return read_pictures(std::move(pictures));
}

Readings FaceReader::read(FaceDataset dataset, const std::function<void(Index, Index)>& progress,
                          FaceStore::WhenNone none, CopiesCount copies) {
  Readings readings;
  readings.dataset = std::move(dataset);
  const auto memory = static_cast<std::size_t>(std::min(model_.config.memory_gb, 1e6) * 1e9);
  FaceStore store(readings.dataset, model_.network->preset().load, context().threads, memory, {},
                  none, engine_.ranks());
  if (copies == CopiesCount::once) store.keep(merge_copies(readings.dataset));
  std::vector<Index> all(readings.dataset.faces.size());
  std::iota(all.begin(), all.end(), Index{0});
  EmbedOptions options;
  options.mirror = model_.config.mirror;
  options.zooms = model_.config.zooms;
  options.progress = progress;
  readings.embedded = embed_faces(engine_, *model_.network, store, all, options);
  if (all.empty()) return readings;
  readings.crops = crops_of(readings.dataset.faces);
  std::vector<std::uint64_t> contents;
  for (const Face& face : readings.dataset.faces) {
    contents.push_back(face.content);
    readings.origins.push_back(origin_of(model_.gallery, face.content));
  }
  const Embedded& said = readings.embedded;
  readings.estimates =
      readout_->estimate(context(), {.z = said.z.view(), .ages = said.ages.view()}, contents);
  return readings;
}

}  // namespace twinage
