#include "train/session_log.h"

#include <ctime>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"

namespace twinage {

void log_session(const std::filesystem::path& path, const Session& session, bool anew) {
  try {
    std::error_code missing;
    const std::string before =
        anew || !std::filesystem::exists(path, missing) ? "" : read_text_file(path);
    const nlohmann::ordered_json line = {{"session", session.started},
                                         {"step", session.step},
                                         {"commit", session.commit},
                                         {"machine", session.machine}};
    write_file_atomically(path, before + line.dump() + "\n");
  } catch (const Error& error) {
    note("note: {}: when and where this run was trained is not noted\n", error.what());
  }
}

std::vector<Session> read_sessions(const std::filesystem::path& path) {
  std::vector<Session> sessions;
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) return sessions;
  std::string_view text;
  const std::string all = read_text_file(path);
  for (text = all; !text.empty();) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    try {
      sessions.push_back(
          {json.at("step").get<std::uint64_t>(), json.at("session").get<std::string>(),
           json.at("commit").get<std::string>(), json.at("machine").get<std::string>()});
    } catch (const nlohmann::json::exception&) {
    }
  }
  return sessions;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts)};
}

}  // namespace twinage
