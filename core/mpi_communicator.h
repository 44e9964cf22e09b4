// Ranks that mpirun or srun has started. The library behind it is optional: found by CMake, Open
// MPI or MPICH.
#pragma once
#include <memory>
#include <string>

#include "core/communicator.h"

namespace twinage {

class LaunchedRanks : public Communicator {
 public:
  // To be called last, by every rank, with the error that it ends with, or "". Where all of them
  // come here within a few seconds it returns; before that the first has said its error, and is
  // silent then, for a launcher kills all as soon as one has ended. Else the others wait for
  // something that this one will not do any more: it says its error, and ends all of them.
  virtual void end(const std::string& error) = 0;
};

// The ranks that this process is one of; null where it was started alone. Ranks but the first are
// silent from here on (core/output.h), and those that share processors divide them up: to be called
// before anything computes. Throws Error where a launcher has started several processes and this
// build has no MPI, or they do not know of each other.
std::unique_ptr<LaunchedRanks> launched_ranks();

}  // namespace twinage
