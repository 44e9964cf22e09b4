// The CPU quota of the process's control groups.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "core/processors.h"

namespace twinage {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool holds(const std::string& list, const std::string& name) {
  const auto parts = split(list, ',');
  return std::find(parts.begin(), parts.end(), name) != parts.end();
}

// A line of /proc/self/mountinfo: where a hierarchy is mounted, and which of its folders that is.
struct Mount {
  std::string root, point, type, options;
};

// "36 35 98:0 ROOT POINT rw,noatime ... - TYPE SOURCE OPTIONS"; blanks are written \040.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<Mount> read_mounts(const std::string& file) {
  std::vector<Mount> mounts;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash - words.begin() < 5 || words.end() - dash < 4) continue;
    if (dash[1] != "cgroup" && dash[1] != "cgroup2") continue;
    mounts.push_back({unescaped(words[3]), unescaped(words[4]), dash[1], dash[3]});
  }
  return mounts;
}

std::optional<double> read_quota(const std::string& folder, bool v2) {
  std::string quota;
  double period = 0;
  if (v2) {  // "max 100000" or "150000 100000"
    std::ifstream(folder + "/cpu.max") >> quota >> period;
  } else {  // -1: no limit
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  double microseconds = 0;
  if (!(std::istringstream(quota) >> microseconds) || microseconds <= 0 || !(period > 0))
    return std::nullopt;
  return microseconds / period;
}

// The folder of group `path` under `mount`. In a container the mount may show a part of the
// hierarchy only, and the path may be outside it: then the mount's own folder is the nearest.
std::string folder_below(const Mount& mount, const std::string& path) {
  if (mount.root == "/") return path == "/" ? "" : path;
  if (path.rfind(mount.root, 0) == 0 &&
      (path.size() == mount.root.size() || path[mount.root.size()] == '/'))
    return path.substr(mount.root.size());
  return "";
}

}  // namespace

int cgroup_quota(const std::string& root) {
  const auto mounts = read_mounts(root + "/proc/self/mountinfo");
  double smallest = 0;
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {  // "4:cpu,cpuacct:/PATH", version 2: "0::/PATH"
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    const bool v2 = controllers.empty();
    if (!v2 && !holds(controllers, "cpu")) continue;
    for (const Mount& mount : mounts) {
      if (v2 != (mount.type == "cgroup2") || (!v2 && !holds(mount.options, "cpu"))) continue;
      for (std::string below = folder_below(mount, path);; below.resize(below.rfind('/'))) {
        const auto quota = read_quota(root + mount.point + below, v2);
        if (quota && (smallest == 0 || *quota < smallest)) smallest = *quota;
        if (below.empty() || below.rfind('/') == std::string::npos) break;
      }
    }
  }
  if (smallest == 0) return 0;
  return static_cast<int>(std::ceil(std::min(smallest, 1e6)));
}

}  // namespace twinage
