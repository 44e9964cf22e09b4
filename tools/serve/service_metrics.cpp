#include "tools/serve/service_metrics.h"

#include <algorithm>

#include <fmt/format.h>

namespace twinage {

void ServiceMetrics::count_request(int status, double seconds) {
  const std::scoped_lock lock(mutex_);
  ++requests_[status];
  seconds_ += seconds;
  ++took_[static_cast<std::size_t>(std::ranges::lower_bound(kSeconds, seconds) - kSeconds.begin())];
}

void ServiceMetrics::count_pictures(std::uint64_t read, std::uint64_t unreadable) {
  const std::scoped_lock lock(mutex_);
  read_ += read;
  unreadable_ += unreadable;
}

std::string ServiceMetrics::text(std::size_t waiting, std::uint64_t batches) const {
  const std::scoped_lock lock(mutex_);
  std::string text =
      "# HELP twinage_requests_total Requests answered, by HTTP status.\n"
      "# TYPE twinage_requests_total counter\n";
  for (const auto& [status, count] : requests_)
    text += fmt::format("twinage_requests_total{{status=\"{}\"}} {}\n", status, count);
  text +=
      "# HELP twinage_request_seconds Time from a request's last byte to its answer.\n"
      "# TYPE twinage_request_seconds histogram\n";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kSeconds.size(); ++i)
    text += fmt::format("twinage_request_seconds_bucket{{le=\"{}\"}} {}\n", kSeconds[i],
                        below += took_[i]);
  below += took_.back();
  text += fmt::format(
      "twinage_request_seconds_bucket{{le=\"+Inf\"}} {0}\ntwinage_request_seconds_sum {1}\n"
      "twinage_request_seconds_count {0}\n",
      below, seconds_);
  text += fmt::format(
      "# HELP twinage_pictures_total Pictures that were read, and that could not be.\n"
      "# TYPE twinage_pictures_total counter\n"
      "twinage_pictures_total{{read=\"yes\"}} {}\ntwinage_pictures_total{{read=\"no\"}} {}\n"
      "# HELP twinage_pictures_waiting Pictures that wait to be read.\n"
      "# TYPE twinage_pictures_waiting gauge\ntwinage_pictures_waiting {}\n"
      "# HELP twinage_batches_total Batches that were read.\n"
      "# TYPE twinage_batches_total counter\ntwinage_batches_total {}\n",
      read_, unreadable_, waiting, batches);
  return text;
}

}  // namespace twinage
