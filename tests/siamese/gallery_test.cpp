#include "siamese/gallery.h"

#include <cmath>
#include <filesystem>
#include <functional>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
using twinage::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

Gallery example_gallery() {
  Gallery gallery{Tensor(matrix(3, 2)), {20, 30.5F, 0}, {"a.jpg", "", "b c\n.jpg"}};
  for (int i = 0; i < 6; ++i) gallery.embeddings.data()[i] = static_cast<float>(i) / 4;
  return gallery;
}

Calibration example_calibration() {
  return {{0.5F, 1, 2}, {1, 0.5F, 0}, 4, {0.9F, 1.1F, 2}};
}

using Bytes = std::vector<std::uint8_t>;

// The parts of a finished model, each of which a test may leave out or write differently.
struct Parts {
  std::vector<float> embeddings{0, 1, 2, 3}, ages{20, 30};
  std::vector<Index> shape{2, 2};
  Bytes names{'a', 'b', 'c'};
  std::vector<std::int64_t> name_ends{1, 3};
  std::vector<float> distances{1, 2}, probabilities{0.5F, 0}, tau{3}, scales{1, 1, 1};
  std::string left_out;

  SafetensorsFile written(const fs::path& path) const {
    SafetensorsWriter writer;
    const auto add = [&](const std::string& name, const auto& values, std::vector<Index> extents) {
      if (name != left_out) writer.add(name, std::span(values), std::move(extents));
    };
    const auto list = [&](const std::string& name, const auto& values) {
      add(name, values, {static_cast<Index>(values.size())});
    };
    add("gallery.embeddings", embeddings, shape);
    list("gallery.ages", ages);
    list("gallery.names", names);
    list("gallery.name_ends", name_ends);
    list("calibration.distances", distances);
    list("calibration.probabilities", probabilities);
    list("calibration.tau", tau);
    list("calibration.interval_scales", scales);
    writer.write(path);
    return SafetensorsFile::open(path);
  }
};

}  // namespace

TEST_CASE("gallery: what was saved is loaded") {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  save(writer, example_gallery(), example_calibration());
  writer.write(folder / "model.safetensors");
  Gallery gallery;
  Calibration calibration;
  load(SafetensorsFile::open(folder / "model.safetensors"), gallery, calibration);
  CHECK(gallery.embeddings.shape() == matrix(3, 2));
  for (int i = 0; i < 6; ++i) CHECK(gallery.embeddings.data()[i] == static_cast<float>(i) / 4);
  CHECK(gallery.ages == example_gallery().ages);
  CHECK(gallery.names == example_gallery().names);
  CHECK(calibration.distances == example_calibration().distances);
  CHECK(calibration.probabilities == example_calibration().probabilities);
  CHECK(calibration.tau == 4);
  CHECK(calibration.interval_scales == example_calibration().interval_scales);
}

TEST_CASE("gallery: unfinished parts are not saved") {
  SafetensorsWriter writer;
  CHECK_THROWS_AS(save(writer, Gallery(), example_calibration()), Error);
  CHECK_THROWS_AS(save(writer, example_gallery(), Calibration()), Error);
  Gallery gallery = example_gallery();
  gallery.names.pop_back();
  CHECK_THROWS_AS(save(writer, gallery, example_calibration()), Error);
  Calibration calibration = example_calibration();
  calibration.interval_scales.clear();
  CHECK_THROWS_AS(save(writer, example_gallery(), calibration), Error);
}

TEST_CASE("gallery: a missing or inconsistent part is named, and nothing is changed") {
  const TemporaryFolder folder;
  const float nan = std::nanf("");
  const std::vector<std::function<void(Parts&)>> breakages{
      [](Parts& p) { p.left_out = "gallery.embeddings"; },
      [](Parts& p) { p.left_out = "gallery.ages"; },
      [](Parts& p) { p.left_out = "gallery.names"; },
      [](Parts& p) { p.left_out = "gallery.name_ends"; },
      [](Parts& p) { p.left_out = "calibration.distances"; },
      [](Parts& p) { p.left_out = "calibration.probabilities"; },
      [](Parts& p) { p.left_out = "calibration.tau"; },
      [](Parts& p) { p.left_out = "calibration.interval_scales"; },
      [](Parts& p) { p.shape = {4}; },
      [](Parts& p) {
        p.shape = {4, 1};
      },
      [](Parts& p) {
        p.shape = {0, 2}, p.embeddings = {}, p.ages = {}, p.names = {}, p.name_ends = {};
      },
      [&](Parts& p) { p.embeddings[2] = nan; },
      [](Parts& p) { p.ages = {20}; },
      [](Parts& p) { p.ages[0] = -1; },
      [&](Parts& p) { p.ages[0] = nan; },
      [](Parts& p) {
        p.name_ends = {1, 2};
      },
      [](Parts& p) {
        p.name_ends = {1, 4};
      },
      [](Parts& p) {
        p.name_ends = {2, 1};
      },
      [](Parts& p) {
        p.name_ends = {-1, 3};
      },
      [](Parts& p) {
        p.name_ends = {1, 2, 3};
      },
      [](Parts& p) { p.distances = {1}; },
      [](Parts& p) { p.distances = {}, p.probabilities = {}; },
      [](Parts& p) {
        p.distances = {1, 1};
      },
      [&](Parts& p) {
        p.distances = {1, nan};
      },
      [](Parts& p) {
        p.probabilities = {0.5F, 0.6F};
      },
      [](Parts& p) {
        p.probabilities = {1.5F, 0.5F};
      },
      [&](Parts& p) {
        p.probabilities = {nan, 0.5F};
      },
      [](Parts& p) { p.tau = {}; },
      [&](Parts& p) { p.tau = {nan}; },
      [](Parts& p) {
        p.scales = {1, 1};
      },
      [](Parts& p) { p.scales[1] = -1; },
  };
  Gallery gallery = example_gallery();
  Calibration calibration = example_calibration();
  for (std::size_t i = 0; i < breakages.size(); ++i) {
    CAPTURE(i);
    Parts parts;
    breakages[i](parts);
    const SafetensorsFile file = parts.written(folder / "broken.safetensors");
    CHECK_THROWS_WITH_AS(load(file, gallery, calibration),
                         doctest::Contains("not a finished Twinage model: "), Error);
    CHECK(gallery.names == example_gallery().names);
    CHECK(calibration.tau == 4);
  }
  load(Parts().written(folder / "whole.safetensors"), gallery, calibration);
  CHECK(gallery.names == std::vector<std::string>{"a", "bc"});
}
