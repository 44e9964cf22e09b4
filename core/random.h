// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a
// counter-based generator. A number is a pure function of (seed, stream, position), so it is the
// same on every device and for any number of threads, and resuming needs no hidden state.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace twinage {

using Philox4 = std::array<std::uint32_t, 4>;

// Ten rounds of Philox over a counter and a key. constexpr, so that CUDA kernels may call it.
constexpr Philox4 philox(Philox4 c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += 0x9E3779B9U;
    k[1] += 0xBB67AE85U;
  }
  return c;
}

// The stream that belongs to a name (FNV-1a, 64 bits): of a tensor's initial values, of a layer.
std::uint64_t stream_of(std::string_view name);

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
