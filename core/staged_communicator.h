// Ranks whose tensors lie where the processes' own communicator cannot reach: what they hand each
// other is copied to the host's memory, and back from there. For device simt, and for GPUs without
// NCCL; slow, and nothing of it can be recorded (core/cuda_stream.h).
#pragma once
#include <deque>
#include <vector>

#include "core/communicator.h"
#include "core/device.h"

namespace twinage {

class StagedRanks final : public Communicator {
 public:
  // The ranks of `host`, which must outlive it; pointers are into memory of `device`.
  StagedRanks(Communicator& host, Device device) : host_(host), device_(device) {}

  int rank() const override { return host_.rank(); }
  int size() const override { return host_.size(); }
  void gather(void* all, std::span<const std::size_t> bytes) override;
  int begin_exchange(void* to, const void* from, std::span<const std::size_t> sizes) override;
  void finish(int begun) override;
  void broadcast(void* data, std::size_t bytes) override;

 private:
  using Bytes = std::vector<std::byte>;
  struct Exchange {
    Bytes sent, received;
    void* to;
    int begun;
    bool over = false;
  };
  Communicator& host_;
  Device device_;
  std::deque<Exchange> begun_;
};

}  // namespace twinage
