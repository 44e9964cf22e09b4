#include "kernels/simt/fault.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/simt/symbolize.h"

namespace gpu {
namespace {

constexpr std::size_t kTold = 6;  // faults spelled out; the rest is counted

std::string text(const Where& where) {
  return where.pc != nullptr ? symbolize(where.pc) : place_text(where.place);
}

std::string text(const Fault& f) {
  std::string line = f.kind;
  if (!f.object.empty()) line += fmt::format(" on {} +{}", f.object, f.offset);
  if (!(f.where == Where())) line += " at " + text(f.where);
  line += " by " + f.who;
  if (!f.other.empty())
    line += fmt::format(", conflicts with {} at {}", f.other, text(f.other_where));
  if (f.repeats > 0) line += fmt::format(" ({} more like it)", f.repeats);
  return line;
}

}  // namespace

void FaultList::add(std::size_t block, Fault fault) {
  const std::lock_guard lock(mutex_);
  if (block > first_block_) return;
  if (block < first_block_) {
    first_block_ = block;
    faults_.clear();
  }
  const auto same = std::find_if(faults_.begin(), faults_.end(), [&](const Fault& f) {
    return f.where == fault.where && f.other_where == fault.other_where && f.kind == fault.kind &&
           f.object == fault.object;
  });
  if (same != faults_.end())
    ++same->repeats;
  else
    faults_.push_back(std::move(fault));
}

void FaultList::throw_if_any(const char* operation, std::size_t blocks) {
  if (faults_.empty()) return;
  std::string line;
  for (std::size_t i = 0; i < std::min(faults_.size(), kTold); ++i)
    line += (i == 0 ? "" : "; ") + text(faults_[i]);
  if (faults_.size() > kTold) line += fmt::format("; and {} other faults", faults_.size() - kTold);
  if (first_block_ + 1 < blocks) line += "; no block after this one was looked at";
  twinage::fail("[{}] simt: {}", operation, line);
}

}  // namespace gpu
