// What a training takes of its device's memory, before it takes it: `twinage info` prints it.
#pragma once
#include "train/model/engine.h"

namespace twinage {

// Bytes. Not counted: what a loss has of each face (its labels, a few numbers), what dropout says
// of a step, and on device cpu the pictures and the program.
struct MemoryPlan {
  Index parameters = 0, gradients = 0, running_statistics = 0;
  Index optimizer = 0;  // ADADELTA's two numbers for each parameter
  Index images = 0;     // a batch as the tower reads it; on a GPU its bytes, too
  Index outputs = 0;    // features, and what the heads say
  // The workspace (core/workspace.h): what is kept from the forward pass to the backward pass, and
  // the rest, which activations, gradients and scratch have by turns.
  Index kept = 0, shared = 0;

  Index workspace() const { return kept + shared; }
  Index total() const {
    return parameters + gradients + running_statistics + optimizer + images + outputs + workspace();
  }
};

// Of steps of `batch` faces in the engine's arithmetic. Plans the network for it and moves its
// parameters to the engine's device; takes no other memory.
MemoryPlan plan_memory(const Engine& engine, TwinNetwork& network, Index batch);

}  // namespace twinage
