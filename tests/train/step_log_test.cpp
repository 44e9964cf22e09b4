#include "train/step_log.h"

#include <doctest/doctest.h>

using namespace twinage;

namespace {

ObjectiveValue value_of(double embedding, double gender, double share) {
  ObjectiveValue value;
  value.heads[Task::embedding] = {embedding, "positive_share", share};
  value.heads[Task::gender].loss = gender;
  value.total = embedding + gender;
  return value;
}

}  // namespace

TEST_CASE("a record holds the means since the last one, each head's loss by its name") {
  TrainConfig config;
  config.batch = 10;
  config.record_steps = 2;
  StepLog log(config, 40);
  log.start(100);
  CHECK_FALSE(log.add(value_of(1, 0.5, 0.25), 1, 0.9, 101));
  CHECK(log.line() == "epoch 0.2  loss 1.5000  10 images/s");
  log.leave_out(5);  // a validation
  const auto record = log.add(value_of(3, 0.7, 0.75), 2, 0.8, 109);
  REQUIRE(record);
  CHECK((*record)["step"] == 2);
  CHECK((*record)["epoch"] == 0.5);
  CHECK((*record)["seconds"] == 109.0);
  CHECK((*record)["loss"].get<double>() == doctest::Approx(2.6));
  CHECK((*record)["losses"].size() == 2);
  CHECK((*record)["losses"]["embedding"].get<double>() == 2);
  CHECK((*record)["losses"]["gender"].get<double>() == doctest::Approx(0.6));
  CHECK((*record)["positive_share"] == 0.5);
  CHECK((*record)["factor"] == 0.8);
  CHECK((*record)["images_per_second"].get<double>() == doctest::Approx(20.0 / 4));

  // The next record begins anew.
  CHECK_FALSE(log.add(value_of(10, 0, 0), 3, 0.7, 110));
  const auto next = log.add(value_of(20, 0, 0), 4, 0.6, 111);
  REQUIRE(next);
  CHECK((*next)["losses"]["embedding"] == 15.0);
  CHECK((*next)["images_per_second"].get<double>() == doctest::Approx(10));
}

TEST_CASE("a record names the heads that there are, and no others") {
  TrainConfig config;
  config.objective.heads = {Task::gender, Task::age};
  config.record_steps = 1;
  StepLog log(config, 40);
  const auto record = log.add(ObjectiveValue{}, 1, 1, 1);
  REQUIRE(record);
  CHECK((*record)["losses"].contains("age"));
  CHECK_FALSE((*record)["losses"].contains("embedding"));
  CHECK_FALSE(record->contains("positive_share"));
}
