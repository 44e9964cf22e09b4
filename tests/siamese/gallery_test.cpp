#include "siamese/gallery.h"

#include <algorithm>
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
  gallery.contents = {7, 0xFFFF'FFFF'FFFF'FFFF, 9};
  gallery.training_contents = {7, 0xFFFF'FFFF'FFFF'FFFF, 9, 11};
  gallery.held_out_contents = {12};
  return gallery;
}

std::map<ReadoutKind, float> example_scales() {
  return {
      {ReadoutKind::comparison, 0.9F}, {ReadoutKind::knn, 1.1F}, {ReadoutKind::prototype, 2.0F}};
}

Calibration example_calibration() {
  return {{0.5F, 1, 2}, {1, 0.5F, 0}, 4, example_scales(), 120, 0.75F};
}

using Bytes = std::vector<std::uint8_t>;

// The parts of a finished model, each of which a test may leave out or write differently.
struct Parts {
  std::vector<float> embeddings{0, 1, 2, 3}, ages{20, 30};
  std::vector<Index> shape{2, 2};
  Bytes names{'a', 'b', 'c'};
  std::vector<std::int64_t> name_ends{1, 3};
  std::vector<float> distances{1, 2}, probabilities{0.5F, 0}, tau{3}, scales{1, 1, 1};
  std::vector<std::int64_t> contents, held_out;
  std::vector<float> limit, of_expectation, of_the_future, widths, widths_of_expectation;
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
    if (!contents.empty()) list("gallery.contents", contents);
    if (!held_out.empty()) list("calibration.held_out", held_out);
    if (!limit.empty()) list("calibration.nearest_limit", limit);
    if (!of_expectation.empty()) list("calibration.interval_scales.expectation", of_expectation);
    if (!widths.empty()) list("calibration.interval_widths.knn", widths);
    if (!widths_of_expectation.empty())
      list("calibration.interval_widths.expectation", widths_of_expectation);
    if (!of_the_future.empty()) list("calibration.interval_scales.oracle", of_the_future);
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
  CHECK(calibration.held_out == 120);
  CHECK(calibration.nearest_limit == 0.75F);
  CHECK(gallery.contents == example_gallery().contents);
  CHECK(gallery.training_contents == example_gallery().training_contents);
  CHECK(gallery.held_out_contents == example_gallery().held_out_contents);
}

TEST_CASE("gallery: knows what it had to do with a face, by the face's content") {
  const Gallery gallery = example_gallery();
  CHECK(origin_of(gallery, 9) == Origin::reference);
  CHECK(origin_of(gallery, 0xFFFF'FFFF'FFFF'FFFF) == Origin::reference);
  CHECK(origin_of(gallery, 11) == Origin::trained);
  CHECK(origin_of(gallery, 12) == Origin::held_out);
  CHECK(origin_of(gallery, 13) == Origin::unseen);
  CHECK(origin_of(gallery, 0) == Origin::unknown);
  Gallery copies = example_gallery();
  copies.contents = {7, 0, 7};
  CHECK(copies.references_of(7) == std::vector<Index>{0, 2});
  CHECK(copies.references_of(8).empty());
  CHECK(copies.references_of(0).empty());
}

TEST_CASE("gallery: an older model lacks contents and counts, and says that it does not know") {
  const TemporaryFolder folder;
  Gallery gallery = example_gallery();
  Calibration calibration = example_calibration();
  load(Parts().written(folder / "older.safetensors"), gallery, calibration);
  CHECK_FALSE(gallery.knows_contents());
  CHECK(origin_of(gallery, 7) == Origin::unknown);
  CHECK(calibration.held_out == 0);
  CHECK(calibration.claim().kind == IntervalClaim::Kind::unknown);
  CHECK(!calibration.nearest_limit);
}

namespace {

std::vector<std::string> names_written(const TemporaryFolder& folder, const Gallery& gallery,
                                       const Calibration& calibration) {
  SafetensorsWriter writer;
  save(writer, gallery, calibration);
  writer.write(folder / "names.safetensors");
  std::vector<std::string> names;
  const auto file = SafetensorsFile::open(folder / "names.safetensors");
  for (const auto& [name, entry] : file.entries())
    if (name.starts_with("calibration.") || name == "gallery.embeddings") names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("gallery: interval scales of three read-outs stand together, others have their names") {
  const TemporaryFolder folder;
  const Gallery gallery = example_gallery();
  Calibration calibration = example_calibration();
  const std::vector<std::string> before{"calibration.distances",       "calibration.held_out",
                                        "calibration.interval_scales", "calibration.nearest_limit",
                                        "calibration.probabilities",   "calibration.tau",
                                        "gallery.embeddings"};
  CHECK(names_written(folder, gallery, calibration) == before);
  const auto file = SafetensorsFile::open(folder / "names.safetensors");
  CHECK(file.floats("calibration.interval_scales") == std::vector<float>{0.9F, 1.1F, 2});

  calibration.interval_scales[ReadoutKind::expectation] = 3;
  std::vector<std::string> with_head = before;
  with_head.insert(with_head.begin() + 3, "calibration.interval_scales.expectation");
  CHECK(names_written(folder, gallery, calibration) == with_head);
  Gallery loaded_gallery;
  Calibration loaded;
  load(SafetensorsFile::open(folder / "names.safetensors"), loaded_gallery, loaded);
  CHECK(loaded.interval_scales == calibration.interval_scales);
}

TEST_CASE("gallery: a model without an embedding keeps the faces it knows, and no references") {
  const TemporaryFolder folder;
  Gallery gallery = example_gallery();
  gallery.embeddings = Tensor();
  Calibration calibration;
  calibration.tau = 4;
  calibration.interval_scales = {{ReadoutKind::expectation, 1.5F}};
  calibration.held_out = 30;
  CHECK(names_written(folder, gallery, calibration) ==
        std::vector<std::string>{"calibration.held_out", "calibration.interval_scales.expectation",
                                 "calibration.tau"});
  Gallery loaded_gallery = example_gallery();
  Calibration loaded = example_calibration();
  load(SafetensorsFile::open(folder / "names.safetensors"), loaded_gallery, loaded);
  CHECK(!loaded_gallery.has_embeddings());
  CHECK(loaded_gallery.ages == gallery.ages);
  CHECK(loaded.interval_scales == calibration.interval_scales);
  CHECK(loaded.distances.empty());
  CHECK(loaded.held_out == 30);
  CHECK(origin_of(loaded_gallery, 9) == Origin::trained);  // nothing is compared with it
  CHECK(origin_of(loaded_gallery, 13) == Origin::unseen);

  SafetensorsWriter writer;
  calibration.interval_scales[ReadoutKind::knn] = 1;
  CHECK_THROWS_WITH_AS(save(writer, gallery, calibration),
                       doctest::Contains("embeddings for the interval scale of knn"), Error);
  calibration = example_calibration();
  calibration.interval_scales.erase(ReadoutKind::knn);
  CHECK_THROWS_WITH_AS(save(writer, example_gallery(), calibration),
                       doctest::Contains("the interval scale of knn"), Error);
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
      [](Parts& p) { p.scales = {}; },
      [&](Parts& p) { p.of_expectation = {nan}; },
      [](Parts& p) {
        p.of_expectation = {1, 1};
      },
      [](Parts& p) { p.left_out = "gallery.embeddings", p.of_expectation = {1}; },
      [](Parts& p) { p.left_out = "calibration.interval_scales", p.of_expectation = {1}; },
      [](Parts& p) { p.widths = std::vector<float>(20, 1.0F); },
      [](Parts& p) { p.widths = std::vector<float>(22, 1.0F); },
      [](Parts& p) { p.widths = std::vector<float>(21, 0.0F); },
      [&](Parts& p) { p.widths = std::vector<float>(21, nan); },
      [](Parts& p) { p.widths_of_expectation = std::vector<float>(21, 1.0F); },  // without a scale
      [](Parts& p) { p.contents = {1}; },
      [](Parts& p) { p.held_out = {-1}; },
      [](Parts& p) { p.held_out = {std::int64_t{1} << 40}; },
      [](Parts& p) {
        p.held_out = {1, 2};
      },
      [](Parts& p) { p.limit = {0.5F}; },
      [&](Parts& p) { p.held_out = {50}, p.limit = {nan}; },
      [](Parts& p) { p.held_out = {50}, p.limit = {-1}; },
      [](Parts& p) {
        p.held_out = {50}, p.limit = {1, 2};
      },
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
  Parts whole;
  whole.of_expectation = {2};
  whole.of_the_future = {3, 4};  // of a read-out that this program does not know
  load(whole.written(folder / "whole.safetensors"), gallery, calibration);
  CHECK(calibration.interval_scales.size() == 4);
  CHECK(calibration.interval_scales.at(ReadoutKind::expectation) == 2);
  CHECK(calibration.interval_widths.empty());  // as in older models
  CHECK(!calibration.claim().by_age);
  CHECK(gallery.names == std::vector<std::string>{"a", "bc"});
}

TEST_CASE("gallery: the widths of intervals by age are kept, each under its read-out's name") {
  const TemporaryFolder folder;
  const Gallery gallery = example_gallery();
  Calibration calibration = example_calibration();
  std::vector<float> widths(21, 1.0F);
  widths[16] = 2.5F;
  calibration.interval_widths = {{ReadoutKind::knn, widths}};
  const auto names = names_written(folder, gallery, calibration);
  CHECK(std::ranges::count(names, "calibration.interval_widths.knn") == 1);
  CHECK(names.size() == names_written(folder, gallery, example_calibration()).size() + 1);
  SafetensorsWriter writer;
  save(writer, gallery, calibration);
  writer.write(folder / "with_widths.safetensors");
  Gallery loaded_gallery;
  Calibration loaded;
  load(SafetensorsFile::open(folder / "with_widths.safetensors"), loaded_gallery, loaded);
  CHECK(loaded.interval_widths == calibration.interval_widths);
  CHECK(loaded.claim().by_age);

  calibration.interval_widths[ReadoutKind::expectation] = widths;
  CHECK_THROWS_WITH_AS(save(writer, gallery, calibration),
                       doctest::Contains("interval scale of expectation beside its widths"), Error);
}
