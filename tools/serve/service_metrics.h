// What a service has done, in Prometheus' text format (version 0.0.4).
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace twinage {

class ServiceMetrics {
 public:
  // Upper ends, seconds; beyond the last: +Inf.
  static constexpr std::array<double, 12> kSeconds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                   0.5,   1,    2.5,   5,    10,  30};

  void count_request(int status, double seconds);
  void count_pictures(std::uint64_t read, std::uint64_t unreadable);
  // waiting: pictures in the queue; batches: read so far.
  std::string text(std::size_t waiting, std::uint64_t batches) const;

 private:
  mutable std::mutex mutex_;
  std::map<int, std::uint64_t> requests_;
  std::array<std::uint64_t, kSeconds.size() + 1> took_{};
  double seconds_ = 0;
  std::uint64_t read_ = 0, unreadable_ = 0;
};

}  // namespace twinage
