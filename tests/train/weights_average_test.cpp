#include "train/weights_average.h"

#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "layers/initialize.h"
#include "siamese/twin_network.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_context.h"
#include "train/model/weights.h"

using namespace twinage;
using twinage::test::TestContext;

namespace {

struct Rig {
  explicit Rig(double decay = 0.5)
      : network(Preset{"test", "inception_v3_compact", 65, 65, 0.1}, 4),
        average(network.place_on(Device::cpu), network.parameters(), decay) {
    initialize(network.parameters(), 1);
    average.start(ctx);
  }
  // Of every parameter, those that are not trained too.
  void set_all(float value) {
    for (Parameter* p : network.parameters())
      for (Index i = 0; i < p->value.size(); ++i) p->value.data()[i] = value;
  }
  bool all_are(float value) {
    for (const Parameter* p : network.parameters())
      for (Index i = 0; i < p->value.size(); ++i)
        if (!(std::fabs(p->value.data()[i] - value) <= 1e-6F)) return false;
    return true;
  }

  TestContext ctx;
  TwinNetwork network;
  WeightsAverage average;
};

}  // namespace

TEST_CASE("average: by hand, the running statistics included; training's weights stay") {
  Rig rig;
  rig.set_all(1);
  rig.average.start(rig.ctx);
  rig.set_all(2);
  rig.average.add(rig.ctx, 1);  // d = 2 / 11: 1 + 9 / 11
  CHECK(rig.all_are(2));
  {
    const AverageInPlace averaged(rig.average);
    CHECK(rig.all_are(1 + 9.0F / 11));
  }
  CHECK(rig.all_are(2));
  rig.set_all(4);
  rig.average.add(rig.ctx, 100);  // the decay, 0.5, is less than 101 / 110 now
  const AverageInPlace averaged(rig.average);
  CHECK(rig.all_are((1 + 9.0F / 11 + 4) / 2));
}

TEST_CASE("average: without a decay there is none, and nothing is saved") {
  Rig rig(0);
  rig.average.add(rig.ctx, 1);
  rig.set_all(3);
  {
    const AverageInPlace averaged(rig.average);
    CHECK(rig.all_are(3));
  }
  const test::TemporaryFolder folder;
  SafetensorsWriter writer;
  rig.average.save(writer);
  writer.write(folder / "state");
  CHECK(SafetensorsFile::open(folder / "state").entries().empty());
}

TEST_CASE("average: saved and read, it goes on as if nothing had been between") {
  Rig here, there;
  here.set_all(5);
  here.average.add(here.ctx, 1);
  const test::TemporaryFolder folder;
  SafetensorsWriter writer;
  here.average.save(writer);
  writer.write(folder / "state");
  there.set_all(5);
  there.average.load(SafetensorsFile::open(folder / "state"));
  for (Rig* rig : {&here, &there}) {
    rig->set_all(7);
    rig->average.add(rig->ctx, 2);
    rig->average.swap();
  }
  const auto of_here = here.network.parameters(), of_there = there.network.parameters();
  for (std::size_t i = 0; i < of_here.size(); ++i)
    CHECK(test::bitwise_equal(of_here[i]->value.view(), of_there[i]->value.view()));
  CHECK_FALSE(here.all_are(7));
}

TEST_CASE("average: a decay of 1 never moves, below 0 nothing is meant") {
  TwinNetwork network(Preset{"test", "inception_v3_compact", 65, 65, 0.1}, 4);
  ParameterArena& arena = network.place_on(Device::cpu);
  for (const double decay : {1.0, -0.1, std::nan("")})
    CHECK_THROWS_AS(WeightsAverage(arena, network.parameters(), decay), Error);
  ParameterArena empty;
  CHECK_THROWS_AS(WeightsAverage(empty, network.parameters(), 0.5), Error);
}
