// The shared memory of the block that runs. At the start of a block all of it is undefined: NaN in
// every float, and known to be undefined where accesses are checked. Between the arrays lie red
// zones that nothing may write to.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace gpu {

class SharedMemory {
 public:
  // What every GPU from compute capability 8.0 on gives a block that asks for it, and what it gives
  // to arrays of fixed size.
  static constexpr std::size_t kMostBytes = 99 * 1024, kMostFixedBytes = 48 * 1024;

  struct Array {
    const void* key;  // null: the dynamic shared memory
    const char* name;
    std::size_t begin, bytes;  // within the arena
    std::string text() const;  // "shared array tile"
  };

  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void begin_block(std::size_t dynamic_bytes);
  void* dynamic() { return arena_.get() + arrays_.front().begin; }
  // Null when there is none yet for this key.
  void* find(const void* key);
  // Null, and nothing is created, when it would not fit.
  void* create(const void* key, const char* name, std::size_t bytes);

  std::size_t bytes_in_use() const;
  bool holds(const void* p) const;
  // The array that holds p, or the last one before it.
  const Array& array_of(const void* p) const;
  std::size_t offset_in(const Array& array, const void* p) const;
  // The first array whose red zone was written to; null when none was.
  const Array* overrun() const;

 private:
  struct Free {
    void operator()(char* p) const noexcept;
  };
  void take(const void* key, const char* name, std::size_t bytes);

  std::unique_ptr<char, Free> arena_;
  std::vector<Array> arrays_;  // by address; the dynamic memory first
  std::size_t end_ = 0;        // of what is taken
};

}  // namespace gpu
