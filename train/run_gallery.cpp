#include "train/run_gallery.h"

#include <filesystem>

namespace twinage {
namespace {

std::vector<std::uint64_t> contents_of(const FaceDataset& dataset, std::span<const Index> faces) {
  std::vector<std::uint64_t> contents;
  for (const Index i : faces)
    contents.push_back(dataset.faces[static_cast<std::size_t>(i)].content);
  return contents;
}

}  // namespace

std::vector<float> ages_of(const FaceDataset& dataset, std::span<const Index> faces) {
  std::vector<float> ages;
  for (const Index i : faces) ages.push_back(dataset.faces[static_cast<std::size_t>(i)].age);
  return ages;
}

Gallery gallery_of(const RunFaces& run, std::span<const Index> faces, Tensor embeddings) {
  const FaceDataset& dataset = run.faces;
  Gallery gallery;
  gallery.embeddings = std::move(embeddings);
  gallery.ages = ages_of(dataset, faces);
  for (const Index i : faces)
    gallery.names.push_back(
        std::filesystem::path(dataset.faces[static_cast<std::size_t>(i)].path).filename().string());
  gallery.contents = contents_of(dataset, faces);
  gallery.training_contents = contents_of(dataset, run.split.training);
  gallery.held_out_contents = contents_of(dataset, run.split.held_out);
  return gallery;
}

}  // namespace twinage
