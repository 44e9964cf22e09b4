// RUN/sessions.jsonl: when a run was begun and gone on with, where, and by which build. It is for
// people: nothing of the training depends on it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twinage {

struct Session {
  std::uint64_t step = 0;                // where it began
  std::string started, commit, machine;  // UTC; of the binary; where it computes
};

// How each line begins: a file that begins otherwise was not written by a run.
inline constexpr std::string_view kSessionStart = "{\"session\":";

// Appends a line; of a run that is begun anew, instead of those that are there. A note says so
// where it cannot be written, and the training goes on.
void log_session(const std::filesystem::path& path, const Session& session, bool anew);

// Those of a file; none of a run older than this file. Lines that make no sense are passed over.
std::vector<Session> read_sessions(const std::filesystem::path& path);

std::string utc_now();  // "2026-11-29 22:50 UTC"

}  // namespace twinage
