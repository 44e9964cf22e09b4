// What people read while the program works. Nobody may be reading any more (a closed terminal, a
// full disk under the log), and that must not end the work.
#pragma once
#include <cstdio>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace twinage {

// To be called first: a descriptor 0, 1 or 2 that the program was started without is occupied, so
// that no file opened later becomes standard output; a write to a closed pipe or beyond a limit of
// file size gives an error instead of a signal that ends the process. False when that failed.
[[nodiscard]] bool prepare_standard_streams() noexcept;

// Of several processes that do one work, all but one say nothing: what they write is lost on
// purpose.
void set_silent(bool silent) noexcept;

// Writes the text as it is. What cannot be written is lost for stderr; for stdout it is remembered
// (results_written).
void write_text(std::FILE* stream, std::string_view text) noexcept;

// Whether all that went to stdout has been written: flushes it.
[[nodiscard]] bool results_written() noexcept;
// Whether that is because nobody reads stdout any more ("... | head"): then it needs no words.
[[nodiscard]] bool reader_has_gone() noexcept;

// For the person: to stderr.
template <class... Args>
void note(fmt::format_string<Args...> message, Args&&... args) noexcept {
  try {
    write_text(stderr, fmt::format(message, std::forward<Args>(args)...));
  } catch (...) {  // no memory for the text
    write_text(stderr, "twinage: [memory] no memory left to say what happened\n");
  }
}

// What was asked for: to stdout. The exit code tells when it could not be written. Throws
// std::bad_alloc: without its result no command has succeeded.
template <class... Args>
void print_result(fmt::format_string<Args...> message, Args&&... args) {
  write_text(stdout, fmt::format(message, std::forward<Args>(args)...));
}

}  // namespace twinage
