#include "train/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/output.h"

namespace twinage {
namespace {

constexpr double kRedrawSeconds = 0.25;
constexpr int kColumns = 79, kBar = 16;

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

std::string duration_text(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m {:02}s", s / 60, s % 60);
  return fmt::format("{}h {:02}m", s / 3600, s / 60 % 60);
}

Progress::Progress(std::string label, double plain_seconds)
    : label_(std::move(label)),
      plain_seconds_(plain_seconds),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (terminal_ && drawn_) note("\r\033[K");
  drawn_ = false;
}

void Progress::line(std::string_view text) {
  clear();
  note("{}\n", text);
  last_ = Clock::time_point();  // redraw at the next update
}

void Progress::update(double done, std::string_view text) {
  if (first_done_ < 0) first_done_ = done;
  const auto now = Clock::now();
  if (seconds_between(last_, now) < (terminal_ ? kRedrawSeconds : plain_seconds_)) return;
  last_ = now;
  const double elapsed = seconds_between(start_, now);
  const bool known = done > first_done_;
  const std::string left =
      known ? duration_text(elapsed * (1 - done) / (done - first_done_)) + " left" : "";
  if (!terminal_) {
    note("{} {:3.0f} %  {}  {}\n", label_, 100 * done, text, left);
    return;
  }
  const int full = static_cast<int>(done * kBar + 0.5);
  std::string bar = fmt::format("{} [{:#<{}}{:.<{}}] {:3.0f} %  {}  {}", label_, "", full, "",
                                kBar - full, 100 * done, text, left);
  if (static_cast<int>(bar.size()) > kColumns) bar.resize(kColumns);
  note("\r{}\033[K", bar);
  drawn_ = true;
}

std::function<void(Index, Index)> Progress::counter(std::string parts) {
  return [this, parts = parts.empty() ? parts : " " + parts](Index done, Index total) {
    update(static_cast<double>(done) / static_cast<double>(total),
           fmt::format("{} of {}{}", done, total, parts));
  };
}

}  // namespace twinage
