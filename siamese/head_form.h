// The form of a head: which layer turns the tower's features into its outputs, how many those are,
// and what they say. A head's loss decides it: siamese/losses/losses.cpp has it in the loss's row.
#pragma once
#include "core/context.h"
#include "core/view.h"
#include "layers/layers.h"
#include "siamese/tasks.h"

namespace twinage {

// What an age head says of a face, once its outputs are read.
enum class AgeSaid {
  nothing,       // it is the head of another task
  distribution,  // P(age = a years) in column a: kAges numbers
  number,        // an age in years and not how sure it is: one number
};

struct HeadForm {
  Index outputs = 0;  // numbers a face
  LayerPtr (*layer)(Index features, Index outputs) = linear;
  // said = what the outputs say, on the host: matrix(count, said()) of matrix(count, outputs).
  // nullptr: the outputs themselves.
  void (*read)(const Context& ctx, View said, ConstView outputs) = nullptr;
  AgeSaid ages = AgeSaid::nothing;

  // Numbers a face once they are read.
  constexpr Index said() const {
    switch (ages) {
      case AgeSaid::distribution:
        return kAges;
      case AgeSaid::number:
        return 1;
      case AgeSaid::nothing:
        break;
    }
    return outputs;
  }
};

}  // namespace twinage
