// Progress of long work: a bar on a terminal, plain lines otherwise.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/shape.h"

namespace twinage {

// "42s", "3m 07s", "1h 02m"
std::string duration_text(double seconds);

class Progress {
 public:
  // Writes to stderr. On a terminal: one line of at most 79 columns, redrawn a few times a second;
  // otherwise a line every `plain_seconds`.
  explicit Progress(std::string label, double plain_seconds = 15);
  ~Progress();  // ends the line

  // done in [0, 1]. `text` stands behind the bar: rate, losses.
  void update(double done, std::string_view text);
  // What work that counts its parts reports to: update() with "3 of 10", or "3 of 10 faces". The
  // bar must outlive it.
  std::function<void(Index done, Index total)> counter(std::string parts = "");
  // Prints a line of its own above the bar.
  void line(std::string_view text);

 private:
  using Clock = std::chrono::steady_clock;
  void clear();

  std::string label_;
  double plain_seconds_;
  bool terminal_, drawn_ = false;
  double first_done_ = -1;  // where this process started: a resumed run does not start at 0
  Clock::time_point start_, last_;
};

}  // namespace twinage
