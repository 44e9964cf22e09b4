#include "train/run_clock.h"

#include <doctest/doctest.h>

using namespace twinage;

namespace {

// A clock that the test sets.
struct Rig {
  double time = 1000;
  TrainConfig config;
  RunState state;
  RunClock clock(Index training_faces = 640) const {
    return RunClock(config, training_faces, [this] { return time; });
  }
};

}  // namespace

TEST_CASE("the clock of a run by steps does not look at the time") {
  Rig rig;
  rig.config.steps = 200;
  RunClock clock = rig.clock();
  clock.start(0);
  rig.time += 1e6;
  CHECK(clock.progress(rig.state) == 0);
  rig.state.step = 50;
  CHECK(clock.progress(rig.state) == 0.25);
  rig.state.step = 300;  // resumed with fewer steps than were done
  CHECK(clock.progress(rig.state) == 1);
}

TEST_CASE("the clock of a run by epochs counts the steps of a part of an epoch, too") {
  Rig rig;
  rig.config.batch = 64;
  rig.config.epochs = 2.05;  // of 640 faces: 20.5 steps
  RunClock clock = rig.clock();
  rig.state.step = 20;
  CHECK(clock.progress(rig.state) == doctest::Approx(20.0 / 21));
  rig.state.step = 21;
  CHECK(clock.progress(rig.state) == 1);
}

TEST_CASE("the clock of a run by minutes counts earlier sessions and leaves time for the end") {
  Rig rig;
  rig.config.minutes = 10;
  RunClock clock = rig.clock();
  clock.start(120);
  CHECK(clock.elapsed() == 120);
  rig.time += 60;
  CHECK(clock.elapsed() == 180);
  CHECK(clock.progress(rig.state) == doctest::Approx(0.3));
  clock.reserve(240);
  CHECK(clock.progress(rig.state) == doctest::Approx(0.5));
  clock.reserve(1e6);  // never more than half
  CHECK(clock.reserved() == 300);
  rig.time += 1e4;
  CHECK(clock.progress(rig.state) == 1);

  RunClock resumed = rig.clock();
  resumed.start(0);
  rig.state.over = true;
  CHECK(resumed.progress(rig.state) == 1);
}

TEST_CASE("a validation is due every so many steps, if they are given") {
  Rig rig;
  rig.config.minutes = 1;
  rig.config.validate_steps = 7;
  const RunClock clock = rig.clock();
  rig.state = {.step = 13, .last_validation = 7};
  CHECK_FALSE(clock.validation_due(rig.state));
  rig.state.step = 14;
  CHECK(clock.validation_due(rig.state));
}

TEST_CASE("a validation is due about fifteen times a run of steps") {
  Rig rig;
  rig.config.steps = 300;
  const RunClock clock = rig.clock();
  int validations = 0;
  for (rig.state.step = 1; rig.state.step <= 300; ++rig.state.step)
    if (clock.validation_due(rig.state)) {
      ++validations;
      rig.state.last_validation = rig.state.step;
    }
  CHECK(validations == 15);
}

TEST_CASE("a validation that takes long is due less often: a twentieth of the time at most") {
  Rig rig;
  rig.config.minutes = 15;  // a fifteenth: one minute
  RunClock clock = rig.clock();
  clock.start(0);
  rig.time += 59;
  CHECK_FALSE(clock.validation_due(rig.state));
  rig.time += 1;
  CHECK(clock.validation_due(rig.state));
  clock.validation_took(6);
  CHECK_FALSE(clock.validation_due(rig.state));
  rig.time += 59;
  CHECK_FALSE(clock.validation_due(rig.state));
  rig.time += 1;
  CHECK(clock.validation_due(rig.state));
  rig.state.validated_at = 120;
  CHECK_FALSE(clock.validation_due(rig.state));
}
