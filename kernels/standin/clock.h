// Vector clocks: for every stream, how many pieces of its work have happened before something.
// Whatever CUDA says about order (a stream's own, events, the default stream, the host that waits)
// is a join of clocks here; two pieces of work of which neither is in the other's clock may happen
// at the same time.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace standin {

class Clock {
 public:
  std::uint64_t of(unsigned stream) const { return stream < at_.size() ? at_[stream] : 0; }
  bool holds(unsigned stream, std::uint64_t number) const { return of(stream) >= number; }
  void set(unsigned stream, std::uint64_t number) {
    if (stream >= at_.size()) at_.resize(stream + 1);
    at_[stream] = number;
  }
  void join(const Clock& other) {
    if (at_.size() < other.at_.size()) at_.resize(other.at_.size());
    for (std::size_t i = 0; i < other.at_.size(); ++i) at_[i] = std::max(at_[i], other.at_[i]);
  }
  unsigned streams() const { return static_cast<unsigned>(at_.size()); }

 private:
  std::vector<std::uint64_t> at_;
};

}  // namespace standin
