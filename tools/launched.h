// A command whose work several processes share, where mpirun or srun has started them.
#pragma once
#include <exception>

#include <CLI/CLI.hpp>

#include "core/mpi_communicator.h"
#include "core/ranks.h"

namespace twinage {

// f(Ranks*), null where this process was started alone. To be called before anything computes.
template <class F>
void run_launched(F f) {
  const auto all = launched_ranks();
  if (all == nullptr) return f(static_cast<Ranks*>(nullptr));
  try {
    Ranks ranks(*all);
    f(&ranks);
  } catch (const CLI::RuntimeError&) {  // an exit code: what there is to say has been said
    all->end("");
    throw;
  } catch (const std::exception& error) {
    all->end(error.what());
    throw;
  }
  all->end("");
}

}  // namespace twinage
