#include "train/metrics_log.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"

namespace twinage {
namespace {

constexpr std::size_t kLongestRecord = std::size_t{1} << 20;

// The next line, without its end; of a longer one than any record only the beginning. False at the
// end of the file; a last line without an end was cut off by a crash.
bool next_line(std::istream& in, std::string& line) {
  line.clear();
  auto& buffer = *in.rdbuf();
  for (int c = buffer.sbumpc(); c != std::char_traits<char>::eof(); c = buffer.sbumpc()) {
    if (c == '\n') return true;
    if (line.size() <= kLongestRecord) line += static_cast<char>(c);
  }
  return false;
}

bool is_record_up_to(const std::string& line, std::uint64_t last_step) {
  if (line.size() > kLongestRecord) return false;
  const auto record = nlohmann::json::parse(line, nullptr, false);
  if (!record.is_object()) return false;
  const auto step = record.find("step");
  return step == record.end() ||
         (step->is_number_unsigned() && step->get<std::uint64_t>() <= last_step);
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::uint64_t last_step) : path_(path) {
  {
    AtomicFile kept(path);
    if (last_step > 0 && std::filesystem::exists(path)) {
      std::ifstream in(path, std::ios::binary);
      require(in.good(), "[metrics] cannot read {}", path.string());
      std::string lines;  // some at a time: a long run's file need not fit into memory
      for (std::string line; next_line(in, line);) {
        if (!is_record_up_to(line, last_step)) continue;
        lines += line + "\n";
        if (lines.size() < kLongestRecord) continue;
        kept.write(lines);
        lines.clear();
      }
      require(!in.bad(), "[metrics] cannot read {}", path.string());
      kept.write(lines);
    }
    kept.commit();
  }
  fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  size_ = fd_ >= 0 ? ::lseek(fd_, 0, SEEK_END) : -1;
  if (size_ < 0) {
    const std::string reason = std::strerror(errno);
    if (fd_ >= 0) ::close(fd_);
    fail("[metrics] cannot write {}: {}", path.string(), reason);
  }
}

MetricsLog::~MetricsLog() {
  ::close(fd_);
}

bool MetricsLog::append() {
  std::size_t done = 0;
  while (done < waiting_.size()) {
    const ssize_t n = ::pwrite(fd_, waiting_.data() + done, waiting_.size() - done,
                               size_ + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      reason_ = n < 0 ? errno : ENOSPC;
      (void)!::ftruncate(fd_, size_);  // no half line; if that fails, the next try goes over it
      return false;
    }
    done += static_cast<std::size_t>(n);
  }
  size_ += static_cast<std::int64_t>(waiting_.size());
  waiting_.clear();
  complained_ = false;
  return true;
}

void MetricsLog::complain() {
  if (!complained_)
    note("note: {} cannot be written ({}): training goes on, its lines wait\n", path_.string(),
         std::strerror(reason_));
  complained_ = true;
}

void MetricsLog::write(const nlohmann::ordered_json& record) {
  waiting_ += record.dump() + "\n";
  if (!append()) complain();
}

void MetricsLog::flush() {
  if (!append()) return complain();
  int result = ::fdatasync(fd_);
  while (result != 0 && errno == EINTR) result = ::fdatasync(fd_);
  if (result == 0 || errno == EINVAL) return;
  reason_ = errno;
  complain();
}

void MetricsLog::require_written() {
  require(append(), "[metrics] cannot write {}: {}", path_.string(), std::strerror(reason_));
}

}  // namespace twinage
