#pragma once

namespace twinage {

// A loop of multiply-adds on registers for one instruction set.
struct PeakLoop {
  float (*run)(long rounds) = nullptr;
  double flops_per_round = 0;
};

}  // namespace twinage
