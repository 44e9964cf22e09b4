// For the CPU: log of a sum of exponentials, term by term, for any terms.
#pragma once
#include <cmath>
#include <limits>

namespace twinage::cpu {

class LogSum {
 public:
  void add(double x) {
    if (x > largest_) {
      sum_ = sum_ * std::exp(largest_ - x) + 1;
      largest_ = x;
    } else {
      sum_ += std::exp(x - largest_);
    }
  }
  double value() const { return largest_ + std::log(sum_); }  // of no terms: -infinity

 private:
  // The sum is exp(largest_) * sum_.
  double largest_ = -std::numeric_limits<double>::infinity(), sum_ = 0;
};

// log(exp(x) + exp(y)); -infinity stands for a sum without terms, and a NaN comes through.
inline double log_add(double x, double y) {
  const double largest = x > y ? x : y, other = x > y ? y : x;
  return largest + (largest == other ? std::log(2.0) : std::log1p(std::exp(other - largest)));
}

}  // namespace twinage::cpu
