#include "train/session_log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

using namespace twinage;
namespace fs = std::filesystem;

TEST_CASE("sessions are appended, those of a run that begins anew replaced, nonsense passed over") {
  const fs::path folder =
      fs::temp_directory_path() / fmt::format("twinage_sessions_{}", ::getpid());
  fs::create_directories(folder);
  const fs::path path = folder / "sessions.jsonl";
  CHECK(read_sessions(path).empty());
  log_session(path, {0, "2026-01-01 10:00 UTC", "abc", "2 cores"}, true);
  log_session(path, {120, "2026-01-02 10:00 UTC", "def", "4 \"cores\""}, false);
  std::vector<Session> sessions = read_sessions(path);
  REQUIRE(sessions.size() == 2);
  CHECK(sessions[0].commit == "abc");
  CHECK(sessions[1].step == 120);
  CHECK(sessions[1].started == "2026-01-02 10:00 UTC");
  CHECK(sessions[1].machine == "4 \"cores\"");
  CHECK(beginning_of(path, kSessionStart.size()) == kSessionStart);
  write_file_atomically(path, read_text_file(path) + "{\"session\":1}\nnonsense\n{\"sess");
  CHECK(read_sessions(path).size() == 2);
  log_session(path, {0, "later", "ghi", "1 core"}, true);
  sessions = read_sessions(path);
  REQUIRE(sessions.size() == 1);
  CHECK(sessions[0].started == "later");
  // A folder that is gone is no reason to end a training.
  fs::remove_all(folder);
  log_session(path, {0, "later", "ghi", "1 core"}, false);
  CHECK(read_sessions(path).empty());
}

TEST_CASE("a time is written as a date, hours and minutes of UTC") {
  const std::string now = utc_now();
  REQUIRE(now.size() == std::string("2026-11-29 22:50 UTC").size());
  CHECK(now[4] == '-');
  CHECK(now[13] == ':');
  CHECK(now.ends_with(" UTC"));
}
