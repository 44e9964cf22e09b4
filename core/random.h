// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a
// counter-based generator. A number is a pure function of (seed, stream, position), so it is the
// same on every device and for any number of threads, and resuming needs no hidden state.
#pragma once
#include <array>
#include <cstdint>

namespace twinage {

using Philox4 = std::array<std::uint32_t, 4>;

// Ten rounds of Philox over a counter and a key.
Philox4 philox(Philox4 counter, std::array<std::uint32_t, 2> key);

class Random {
 public:
  // Streams of one seed are independent: use one for each purpose and step.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

  std::uint32_t bits();                     // 32 random bits
  std::uint64_t below(std::uint64_t n);     // uniform in [0, n), n >= 1, without bias
  double uniform();                         // [0, 1), 53 bits
  double uniform(double low, double high);  // [low, high)
  double normal();                          // N(0, 1), Box-Muller
  bool chance(double probability);          // true with this probability

 private:
  std::array<std::uint32_t, 2> key_;
  Philox4 counter_;
  Philox4 block_{};
  int used_ = 4;  // of the four numbers in block_
};

}  // namespace twinage
