#include "train/metrics_log.h"

#include <sstream>
#include <string>

#include "core/error.h"
#include "core/files.h"

namespace twinage {

MetricsLog::MetricsLog(const std::filesystem::path& path, std::uint64_t last_step) : path_(path) {
  std::string kept;
  if (last_step > 0 && std::filesystem::exists(path)) {
    std::istringstream lines(read_text_file(path));
    for (std::string line; std::getline(lines, line);) {
      const auto record = nlohmann::json::parse(line, nullptr, false);
      // A last line that was cut off by a crash does not parse.
      if (record.is_object() && record.value("step", std::uint64_t{0}) <= last_step)
        kept += line + "\n";
    }
  }
  write_file_atomically(path, kept);
  out_.open(path, std::ios::app);
  require(out_.good(), "[metrics] cannot write {}", path.string());
}

void MetricsLog::write(const nlohmann::ordered_json& record) {
  out_ << record.dump() << '\n' << std::flush;
  require(out_.good(), "[metrics] cannot write {}: is there space left?", path_.string());
}

}  // namespace twinage
