// Whole training steps of device cuda, as the trainer makes them, on the stand-in: recorded,
// replayed, with the next batch on its way.
#include "tests/standin/faults.h"
#include "tests/train/device_step_rig.h"

using namespace twinage;
using namespace twinage::test;
using standin::When;

namespace {

struct Result {
  std::vector<double> losses;
  std::vector<Values> values;
  bool operator==(const Result&) const = default;
};

// Five steps: one that is not recorded, one that is, a replay, and two more after a validation,
// when the memory that was recorded is another.
Result train(Device device) {
  Run run(device);
  Result result;
  for (int i = 0; i < 5; ++i) {
    if (i == 3) run.plan_something_else();
    result.losses.push_back(run.step());
  }
  for (const Parameter* p : run.parameters()) result.values.push_back(to_host(p->value));
  return result;
}

}  // namespace

TEST_CASE("standin: training on device cuda gives the bits of device simt, whatever the order") {
  const Result simt = train(Device::simt);
  const std::uint64_t replayed = standin::counts().replayed;
  struct Way {
    When when;
    std::uint64_t seed;
  };
  for (const Way way :
       {Way{When::late, 1}, {When::eager, 1}, {When::shuffled, 1}, {When::shuffled, 2}}) {
    const WithOptions options(way.when, way.seed);
    CAPTURE(static_cast<int>(way.when));
    CHECK(train(Device::cuda) == simt);
  }
  CHECK(standin::counts().replayed > replayed + 1000);
}
