#include "train/model/reading_text.h"

#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "core/content_hash.h"
#include "core/error.h"
#include "core/files.h"
#include "layers/initialize.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;
using twinage::test::TemporaryFolder;

namespace {

Calibration calibration_of(Index held_out) {
  Calibration calibration{
      {1, 2},
      {0.5F, 0},
      3,
      {{ReadoutKind::comparison, 1.0F}, {ReadoutKind::knn, 1.0F}, {ReadoutKind::prototype, 1.0F}},
      held_out};
  if (held_out >= kHeldOutForLimit) calibration.nearest_limit = 0.45F;
  return calibration;
}

AgeEstimate estimate_at(float distance) {
  return {29, 20, 41, {{0, distance}}};
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("interval text: 80 % is said of enough held-out faces only") {
  const AgeEstimate e = estimate_at(0);
  CHECK(interval_text(e, calibration_of(40)) == "80 %: 20 to 41");
  CHECK(interval_text(e, calibration_of(3)) ==
        "no interval: only 3 faces were held out, hold out at least 40");
  CHECK(interval_text(e, calibration_of(1)) ==
        "no interval: only 1 face was held out, hold out at least 40");
  CHECK(interval_json(e, calibration_of(3)).is_null());
  for (const Index some : {4, 12, 39}) {
    CHECK_FALSE(says(interval_text(e, calibration_of(some)), "80 %"));
    CHECK(says(interval_text(e, calibration_of(some)), "20 to 41"));
    CHECK(claim_json(interval_claim(some))["share"].is_null());
    CHECK(claim_json(interval_claim(some))["share_between"].size() == 2);
  }
  CHECK(interval_json(e, calibration_of(4)).size() == 2);
  CHECK(claim_json(interval_claim(40))["share"] == 0.8);
  CHECK(claim_json(interval_claim(3))["share"].is_null());
  CHECK(claim_json(interval_claim(3))["held_out"] == 3);
  // An older model.
  CHECK(says(interval_text(e, calibration_of(0)), "if enough faces were held out"));
  CHECK(claim_json(interval_claim(0))["held_out"].is_null());
  IntervalClaim claim = interval_claim(505);
  CHECK(claim_text(claim) == "calibrated on 505 held-out faces to hold 80 %");
  CHECK(claim_json(claim)["by_age"] == false);
  claim.by_age = true;
  CHECK(claim_text(claim) == "calibrated on 505 held-out faces to hold 80 %, at each age");
  CHECK(claim_json(claim)["by_age"] == true);
}

TEST_CASE("unlike: farther from its nearest reference than nearly all held-out faces") {
  const Calibration calibration = calibration_of(120);
  CHECK(unlike_training(estimate_at(1.37F), calibration) == true);
  CHECK(unlike_training(estimate_at(0.45F), calibration) == false);
  CHECK(unlike_text(estimate_at(0.3F), calibration).empty());
  CHECK(unlike_text(estimate_at(1.37F), calibration) ==
        "unlike the faces of training (nearest reference at 1.37, 99 % of faces have one within "
        "0.45): do not trust this reading");
  CHECK(says(unlike_text(estimate_at(1.37F), calibration_of(19)), "95 % of faces"));
  CHECK(!unlike_training(estimate_at(1.37F), calibration_of(18)));
  CHECK(!unlike_training(estimate_at(1.37F), calibration_of(0)));
  CHECK(unlike_text(estimate_at(1.37F), calibration_of(0)).empty());
}

TEST_CASE("origins: how many faces were trained on is said first, and what that means") {
  const std::vector<Origin> origins{Origin::reference, Origin::reference, Origin::trained,
                                    Origin::held_out,  Origin::unseen,    Origin::unseen};
  const OriginCounts counts = count_origins(origins);
  CHECK(origins_text(counts).starts_with("3 of 6 faces were trained on"));
  CHECK(says(origins_text(counts), "2 are references"));
  CHECK(says(origins_text(counts), "1 of 6 faces were held out"));
  CHECK_FALSE(says(origins_text(counts), "never saw"));
  const auto json = origins_json(counts);
  CHECK(json["faces"] == 6);
  CHECK(json["trained_on"] == 3);
  CHECK(json["references"] == 2);
  CHECK(json["held_out"] == 1);
  CHECK(json["unseen"] == 2);
  CHECK(says(json["warning"], "too good"));
  CHECK(says(origins_text(count_origins({Origin::reference})), "never saw"));
  CHECK_FALSE(says(origins_text(count_origins({Origin::trained})), "references"));
  const OriginCounts unseen = count_origins({Origin::unseen, Origin::unseen});
  CHECK(origins_text(unseen).empty());
  CHECK(origins_json(unseen)["warning"].is_null());
  CHECK(says(origins_text(count_origins({Origin::unknown})), "cannot recognise"));
}

TEST_CASE("shortcomings: what a model cannot tell of any picture is said") {
  Model model;
  model.calibration = calibration_of(120);
  model.gallery.contents = {1};
  model.gender_labels = 5;
  CHECK(shortcomings(model).empty());
  CHECK(gender_text(0.9F, model) == "female (90 %)");
  CHECK(gender_text(0.1F, model) == "male (90 %)");
  model.gender_labels = 0;
  CHECK(says(gender_text(0.9F, model), "no gender: "));
  model.gallery.contents.clear();
  model.calibration = calibration_of(3);
  const auto all = shortcomings(model);
  REQUIRE(all.size() == 2);
  CHECK(says(all[0], "cannot recognise"));
  CHECK(says(all[1], "only 3 faces were held out"));
}

TEST_CASE("shortcomings: what needs a head that the network lacks is said, not read") {
  Model model;
  model.config.objective.heads = {Task::embedding};
  model.calibration = calibration_of(120);
  model.gallery.contents = {1};
  model.gender_labels = 5;
  CHECK(shortcomings(model).empty());
  CHECK(says(gender_text(std::nanf(""), model), "no gender: its network has no head"));
  CHECK_NOTHROW(require_embedding(model, "compare"));
  model.config.objective.heads = {Task::gender, Task::age};
  CHECK(gender_text(0.9F, model) == "female (90 %)");
  const auto all = shortcomings(model);
  REQUIRE(all.size() == 1);
  CHECK(says(all[0], "cannot tell a face from other pictures: it gives no embedding"));
  CHECK_THROWS_WITH_AS(require_embedding(model, "compare"),
                       doctest::Contains("[compare] this model gives no embedding (its heads: "
                                         "gender, age)"),
                       UsageError);
}

TEST_CASE(
    "reader: a picture that is a reference is recognised by content and left out, once renamed") {
  const TemporaryFolder folder;
  Image image{80, 80, std::vector<std::uint8_t>(80 * 80 * 3)};
  Gallery gallery;
  for (int i = 0; i < 3; ++i) {
    for (std::size_t p = 0; p < image.rgb.size(); ++p)
      image.rgb[p] = static_cast<std::uint8_t>(60 * i + static_cast<int>(p % 40));
    write_png(folder / fmt::format("{}.png", i), image);
  }
  TrainConfig config;
  config.steps = 1;
  config.embedding = 4;
  config.mirror = config.zooms = false;
  TwinNetwork network(preset(config.preset), config.embedding);
  initialize(network.parameters(), 1);
  gallery.embeddings = Tensor(matrix(2, 4));
  gallery.embeddings.fill(1);
  gallery.ages = {20, 60};
  gallery.names = {"0.png", "other.png"};
  gallery.contents = {content_hash(read_binary_file(folder / "0.png", 1 << 20)), 7};
  gallery.training_contents = gallery.contents;
  gallery.training_contents.push_back(content_hash(read_binary_file(folder / "1.png", 1 << 20)));
  save_model(folder / "model.safetensors", config, 1, 0, network, gallery, calibration_of(120));
  std::filesystem::rename(folder / "0.png", folder / "renamed.png");

  FaceReader reader(folder / "model.safetensors", Engine({Device::cpu, 1}));
  CHECK_THROWS_WITH_AS(reader.use_readout(ReadoutKind::expectation),
                       doctest::Contains("needs an age head"), UsageError);
  const Readings r = reader.read({folder / "renamed.png", folder / "1.png", folder / "2.png"});
  REQUIRE(r.estimates.size() == 3);
  CHECK(r.origins == std::vector<Origin>{Origin::reference, Origin::trained, Origin::unseen});
  REQUIRE(r.estimates[0].nearest.size() == 1);
  CHECK(r.estimates[0].nearest.front().reference == 1);
  CHECK(r.estimates[0].age == 60);
  CHECK(r.estimates[1].nearest.size() == 2);
  CHECK(says(fmt::format("{}", fmt::join(warnings(r, 0, reader.model()), "; ")),
             "a reference of the model (0.png, age 20)"));
  nlohmann::ordered_json json;
  add_warnings(json, r, 0, reader.model());
  CHECK(json["origin"] == "reference");
  CHECK(json["nearest_limit"].get<double>() == doctest::Approx(0.45));
  CHECK(json["unlike_training"].is_boolean());
}

TEST_CASE("reader: an age head alone reads faces without references, each by what it says") {
  const TemporaryFolder folder;
  Image image{80, 80, std::vector<std::uint8_t>(80 * 80 * 3)};
  for (int i = 0; i < 2; ++i) {
    for (std::size_t p = 0; p < image.rgb.size(); ++p)
      image.rgb[p] = static_cast<std::uint8_t>(90 * i + static_cast<int>(p % 40));
    write_png(folder / fmt::format("{}.png", i), image);
  }
  TrainConfig config = recipe("expectation");
  config.steps = 1;
  config.objective.heads = {Task::age};
  TwinNetwork network(preset(config.preset), config.embedding, config.objective.heads);
  initialize(network.parameters(), 1);
  // Says 30 of every face, with nearly all of the probability.
  for (Parameter* p : network.parameters())
    if (p->name == "age.bias") p->value.data()[30] = 100;
  Gallery gallery;
  gallery.ages = {20, 60};
  gallery.names = {"0.png", "other.png"};
  gallery.contents = {content_hash(read_binary_file(folder / "0.png", 1 << 20)), 7};
  const Calibration calibration{{}, {}, 3, {{ReadoutKind::expectation, 2.0F}}, 120};
  save_model(folder / "model.safetensors", config, 1, 0, network, gallery, calibration);

  FaceReader reader(folder / "model.safetensors", Engine({Device::cpu, 1}));
  CHECK_THROWS_WITH_AS(reader.use_readout(ReadoutKind::knn),
                       doctest::Contains("knn needs an embedding"), UsageError);
  const Readings r = reader.read({folder / "0.png", folder / "1.png"});
  REQUIRE(r.estimates.size() == 2);
  for (const AgeEstimate& e : r.estimates) {
    CHECK(e.age == doctest::Approx(30).epsilon(0.001));
    CHECK(e.low == doctest::Approx(29).epsilon(0.01));  // half a year, twice
    CHECK(e.high == doctest::Approx(31).epsilon(0.01));
    CHECK(e.nearest.empty());
    CHECK_FALSE(unlike_training(e, reader.model().calibration));
  }
  CHECK(r.origins == std::vector<Origin>{Origin::trained, Origin::unseen});
  CHECK(warnings(r, 0, reader.model()).size() == 1);
  CHECK(warnings(r, 1, reader.model()).empty());
  nlohmann::ordered_json json;
  add_warnings(json, r, 0, reader.model());
  CHECK(json["nearest_distance"].is_null());
  CHECK(json["unlike_training"].is_null());
  CHECK(json["origin"] == "trained on");
}
