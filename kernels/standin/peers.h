// The processes of one communicator, and a ring of bytes from each to each other one, in memory
// that they share.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace standin {

class Peers {
 public:
  // Waits until all have come. Throws twinage::Error when they do not within a minute.
  Peers(const std::string& name, int rank, int size);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  // As many of the bytes as there is room for, or as have come; returns how many.
  std::size_t send_some(int to, const void* bytes, std::size_t count);
  std::size_t receive_some(int from, void* bytes, std::size_t count);

  // Somebody waits for this rank's first so many operations: a GPU does what it was asked for
  // whether or not its host waits for it.
  std::uint64_t wanted() const;
  void want(int of, std::uint64_t operations);

 private:
  static constexpr std::size_t kRing = std::size_t{1} << 18;
  struct Ring {
    std::atomic<std::uint64_t> written, read;  // bytes, since the beginning
    char bytes[kRing];
  };
  struct Header {
    std::atomic<int> here;
    std::atomic<std::uint64_t> wanted[64];
  };
  Ring& ring(int from, int to) const;
  std::size_t bytes() const;

  int rank_, size_;
  std::string name_;
  char* memory_;
};

}  // namespace standin
