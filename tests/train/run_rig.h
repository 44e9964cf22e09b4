// The parts of a run over faces made for it, for those that do a part of a run's work.
#pragma once
#include <atomic>
#include <memory>

#include "layers/initialize.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"
#include "train/run_parts.h"

namespace twinage::test {

struct RunRig {
  TemporaryFolder folder;
  TrainConfig config;
  RunDirectory directory{folder / "run"};
  Engine engine{{Device::cpu, 2}};
  std::unique_ptr<const RunFaces> faces;
  std::unique_ptr<TwinNetwork> network;

  // Of 50 faces, 10 held out, and 12 others to validate on.
  explicit RunRig(const Heads& heads) {
    make_faces(folder / "faces", 50, 1);
    make_faces(folder / "val", 12, 2);
    config.data = (folder / "faces").string();
    config.val = (folder / "val").string();
    config.objective.heads = heads;
    if (!has(heads, Task::embedding)) config.readout.kind = ReadoutKind::expectation;
    faces = find_run_faces(config, 2);
    network = std::make_unique<TwinNetwork>(preset(config.preset), 16, heads);
    network->place_on(Device::cpu);
    initialize(network->parameters(), 1);
  }
  RunParts parts(const std::atomic<bool>* stop = nullptr) {
    return {config, directory, engine, *network, *faces, stop};
  }
};

}  // namespace twinage::test
