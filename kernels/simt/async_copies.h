// The asynchronous copies (cp.async) of one thread that are still under way.
#pragma once
#include <cstddef>
#include <vector>

namespace gpu {

struct AsyncCopy {
  char* to;                  // shared memory
  const char* from;          // global memory
  std::size_t bytes, zeros;  // the last `zeros` of the bytes are not read
  const void* pc;            // of the instruction

  void perform() const;
};

class AsyncCopies {
 public:
  void issue(const AsyncCopy& copy) { copies_.push_back(copy); }
  // All copies since the last commit become one batch, possibly an empty one.
  void commit() { batches_.push_back(copies_.size()); }
  // The copies of all batches but the last `count`: after a wait they have happened. A copy that
  // was never committed belongs to no batch, and no wait waits for it.
  std::vector<AsyncCopy> take_all_but(std::size_t count);

  bool empty() const { return copies_.empty(); }
  const AsyncCopy& oldest() const { return copies_.front(); }
  void clear() {
    copies_.clear();
    batches_.clear();
  }

 private:
  std::vector<AsyncCopy> copies_;     // in the order of their issue
  std::vector<std::size_t> batches_;  // each batch's end in copies_
};

}  // namespace gpu
