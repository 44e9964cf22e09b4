#include "train/validator.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "tests/train/run_rig.h"

using namespace twinage;
using test::RunRig;

TEST_CASE(
    "a validation looks at the references where faces are compared, and at who is validated") {
  RunRig compared({Task::embedding});
  CHECK(Validator(compared.parts()).faces() == 40 + 10 + 12);
  RunRig direct({Task::gender, Task::age});
  CHECK(Validator(direct.parts()).faces() == 10 + 12);
}

TEST_CASE("a validation's figures, by hand from what the heads say") {
  RunRig rig({Task::gender, Task::age});
  const auto seen = Validator(rig.parts()).validate();
  REQUIRE(seen);
  REQUIRE(seen->val);
  EmbedOptions once;
  once.mirror = once.zooms = false;
  const auto check = [&](const Validation& got, const FaceDataset& dataset, const FaceStore& store,
                         const std::vector<Index>& faces) {
    const Embedded said = embed_faces(rig.engine, *rig.network, store, faces, once);
    double error = 0, right = 0;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const Face& face = dataset.faces[static_cast<std::size_t>(faces[i])];
      double mean = 0;
      for (Index a = 0; a < kAges; ++a)
        mean += static_cast<double>(a) *
                static_cast<double>(said.ages.view().pixel(static_cast<Index>(i))[a]);
      error += std::fabs(mean - static_cast<double>(face.age));
      right += (said.female[i] > 0.5F) == (face.gender == 1);
    }
    const auto count = static_cast<double>(faces.size());
    CHECK(got.mae == doctest::Approx(error / count).epsilon(1e-4));
    CHECK(got.gender_accuracy == right / count);
  };
  check(seen->held_out, rig.faces->faces, *rig.faces->store, rig.faces->split.held_out);
  check(*seen->val, rig.faces->val_faces, *rig.faces->val_store, rig.faces->val);
}

TEST_CASE("a validation without a gender head has no figure of genders") {
  RunRig rig({Task::embedding});
  const auto seen = Validator(rig.parts()).validate();
  REQUIRE(seen);
  CHECK(std::isnan(seen->held_out.gender_accuracy));
  CHECK(std::isnan(seen->val->gender_accuracy));
}

TEST_CASE("a validation as text and as a record") {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  const Validations alone{{6.104, 0.85}, {}}, both{{6.104, unknown}, Validation{7, 0.5}};
  CHECK(to_text(alone, 200) == "step    200  held-out: MAE 6.10 years, gender 85.0 %");
  CHECK(to_text(both, 7) ==
        "step      7  held-out: MAE 6.10 years, gender unknown  val: MAE 7.00, gender 50.0 %");
  CHECK(to_record(alone, 200, 1.5).dump() == R"({"event":"validation","step":200,"seconds":1.5,)"
                                             R"("held_out":{"mae":6.104,"gender_accuracy":0.85}})");
  CHECK(to_record(both, 7, 1.5).dump() ==
        R"({"event":"validation","step":7,"seconds":1.5,"held_out":{"mae":6.104},)"
        R"("val":{"mae":7.0,"gender_accuracy":0.5}})");
}
