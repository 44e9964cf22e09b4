// Ctrl-C and its like: what works for hours ends saved, not in the middle.
#pragma once
#include <atomic>

namespace twinage {

constexpr int kStopped = 130;  // exit code: what shells report of a program that Ctrl-C ended

// Set by the first Ctrl-C or SIGTERM after handle_stop_signals(), and where the terminal goes away,
// unless SIGHUP is ignored (nohup). The second Ctrl-C ends the process.
const std::atomic<bool>& stop_flag();
void handle_stop_signals();
// The same wish from within the process.
void ask_to_stop();

}  // namespace twinage
