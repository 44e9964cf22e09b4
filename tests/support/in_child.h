// For what ends a process: a child of the test does it, and the test looks at how.
#pragma once
#include <string>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace twinage::test {

struct End {
  int signal = 0;  // that ended the process; 0: it ended by itself
  std::string said;
};

// Runs f in a child and tells how that ended.
template <class F>
End in_child(F f) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(ends[1], STDERR_FILENO);
    f();
    _exit(0);
  }
  close(ends[1]);
  End end;
  char text[512];
  for (ssize_t n; (n = read(ends[0], text, sizeof text)) > 0;)
    end.said.append(text, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return end;
}

}  // namespace twinage::test
