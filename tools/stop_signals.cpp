#include "tools/stop_signals.h"

#include <signal.h>

namespace twinage {
namespace {

std::atomic<bool> g_stop{false}, g_asked{false};

// The first Ctrl-C or SIGTERM is a wish; the second one ends the process. A terminal that goes away
// sends several SIGHUPs: each says the same as the first.
void on_signal(int signal) {
  g_stop = true;
  if (signal == SIGHUP || signal == SIGUSR1 || !g_asked.exchange(true)) return;
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

const std::atomic<bool>& stop_flag() {
  return g_stop;
}

void ask_to_stop() {
  g_stop = true;
}

void handle_stop_signals() {
  g_asked = false;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGUSR1, &action, nullptr);  // what mpirun passes on, and Slurm sends before the end
  // nohup has it ignored: the work then outlives the terminal.
  struct sigaction before {};
  ::sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
}

}  // namespace twinage
