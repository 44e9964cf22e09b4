// A run of two steps on faces made for it, and what it reads from others: figures that are set by
// hand then show whether a report counts right.
#pragma once
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"
#include "tests/train/trainer_rig.h"
#include "tools/report/measured_run.h"
#include "tools/report/run_record.h"

namespace twinage::test {

struct ReadingRig {
  TemporaryFolder folder;
  ReadingRig() {
    make_faces(folder / "faces", 60, 1);
    make_faces(folder / "others", 30, 2);
    TrainRequest r = request(folder / "faces", folder / "run", 2);
    r.config.val = (folder / "others").string();
    Trainer(std::move(r)).run();
  }
  // Every face's embedding is a line, its age over 10, and its age is read without error.
  MeasuredRun measured(const std::string& name = "run") const {
    auto reader = std::make_unique<FaceReader>(folder / "run", Engine({Device::cpu, 2}));
    MeasuredRun run = measure(name, std::move(reader), find_faces(folder / "others"), "others");
    for (std::size_t i = 0; i < run.readings.dataset.faces.size(); ++i) {
      const float age = run.readings.dataset.faces[i].age;
      float* z = run.readings.embedded.z.view().pixel(static_cast<Index>(i));
      for (Index k = 0; k < run.readings.embedded.z.shape().c; ++k) z[k] = k == 0 ? age / 10 : 0;
      run.readings.estimates[i].age = age;
    }
    return run;
  }
};

}  // namespace twinage::test
