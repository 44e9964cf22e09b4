// Communicator: the processes of one training, "ranks" 0 to size() - 1, and the few ways in which
// they hand each other bytes. Each call is made by all of them in the same order and returns when
// this rank's part is done. core/mpi_communicator.cpp has MPI behind it; of ranks that compute on
// GPUs core/nccl_communicator.h says what is different.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "core/shape.h"

namespace twinage {

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Of the ranks on this rank's machine, which one it is.
  virtual int rank_on_machine() const { return rank(); }

  // all: a block of every rank, one after the other, of bytes[r] for rank r. This rank's is there
  // before the call, all of them after it.
  virtual void gather(void* all, std::span<const std::size_t> bytes) = 0;
  // Block r of `from`, of sizes[r] bytes, goes to rank r. Of each rank this one receives a block of
  // sizes[rank()] bytes; they lie in `to` in the order of ranks. All ranks pass the same sizes.
  void exchange(void* to, const void* from, std::span<const std::size_t> sizes) {
    finish(begin_exchange(to, from, sizes));
  }
  // The same, begun: `to` and `from` are left alone until finish() of the number that it returns.
  // It gets on whenever the rank makes another call. All ranks begin in the same order.
  virtual int begin_exchange(void* to, const void* from, std::span<const std::size_t> sizes) = 0;
  virtual void finish(int begun) = 0;
  // Whether it adds numbers itself, in an order of its own: then the bits of a sum depend on how
  // many ranks there are. Only then begin_sum may be called: sum[0, count) of all ranks is added
  // up, and all have the sum after finish() of the number that it returns.
  virtual bool adds() const { return false; }
  virtual int begin_sum([[maybe_unused]] float* sum, [[maybe_unused]] Index count) { return -1; }
  // What rank 0 has, on all.
  virtual void broadcast(void* data, std::size_t bytes) = 0;
};

// Of one number of bytes for each rank, what stands before rank r's.
inline std::size_t bytes_before(std::span<const std::size_t> bytes, std::size_t rank) {
  std::size_t sum = 0;
  for (std::size_t r = 0; r < rank; ++r) sum += bytes[r];
  return sum;
}

}  // namespace twinage
