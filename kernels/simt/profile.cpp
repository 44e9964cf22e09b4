#include "kernels/simt/profile.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "core/output.h"
#include "kernels/simt/checker.h"
#include "kernels/simt/symbolize.h"

namespace gpu {
namespace {

constexpr std::uintptr_t kBanks = 32, kWordBytes = 4, kSectorBytes = 32;

}  // namespace

// 1. what a request costs

RequestCost shared_cost(const Request& r) {
  // 32 lanes of 4 bytes at once; 16 of 8; 8 of 16: 128 bytes a cycle at best.
  const std::size_t words = std::max<std::size_t>(r.bytes / kWordBytes, 1);
  const std::size_t lanes_at_once = std::max<std::size_t>(kWarp / words, 1);
  RequestCost cost;
  for (std::size_t first = 0; first < kWarp; first += lanes_at_once) {
    std::array<std::set<std::uintptr_t>, kBanks> wanted;  // the same word is read once for all
    for (std::size_t l = first; l < first + lanes_at_once; ++l)
      if ((r.lanes >> l) & 1U)
        for (std::size_t w = 0; w < words; ++w) {
          const std::uintptr_t word = r.address[l] / kWordBytes + w;
          wanted[word % kBanks].insert(word);
        }
    std::size_t cycles = 0;
    for (const auto& bank : wanted) cycles = std::max(cycles, bank.size());
    cost.worst = std::max(cost.worst, static_cast<int>(cycles));
    if (cycles > 1) cost.extra += static_cast<int>(cycles) - 1;
  }
  return cost;
}

RequestCost global_cost(const Request& r) {
  std::set<std::uintptr_t> sectors, addresses;
  for (unsigned l = 0; l < kWarp; ++l) {
    if (((r.lanes >> l) & 1U) == 0) continue;
    addresses.insert(r.address[l]);
    const std::uintptr_t last = (r.address[l] + r.bytes - 1) / kSectorBytes;
    for (std::uintptr_t s = r.address[l] / kSectorBytes; s <= last; ++s) sectors.insert(s);
  }
  const std::size_t fewest = (addresses.size() * r.bytes + kSectorBytes - 1) / kSectorBytes;
  return {static_cast<int>(sectors.size()),
          static_cast<int>(sectors.size()) - static_cast<int>(fewest)};
}

// 2. counting

Profile* Profile::active() {
  static const std::unique_ptr<Profile> profile = [] {
    const char* path = std::getenv("TWINAGE_SIMT_REPORT");
    return std::unique_ptr<Profile>(path == nullptr ? nullptr : new Profile(path));
  }();
  return profile.get();
}

void Profile::begin_launch(const Launch& launch) {
  const std::lock_guard lock(mutex_);
  Kernel& kernel = kernels_[launch.kernel];
  kernel.operation = launch.operation;
  ++kernel.launches;
  kernel_ = &kernel;
}

void Profile::end_block(const Block& block) {
  if constexpr (kChecking) end_interval();
  const std::lock_guard lock(mutex_);
  Kernel& kernel = kernels_[block.launch().kernel];
  const dim3 shape = block.launch().block;
  ++kernel.blocks;
  kernel.threads += std::uint64_t{shape.x} * shape.y * shape.z;
  kernel.counts.barriers += block.counts().barriers;
  kernel.counts.collectives += block.counts().collectives;
}

void Profile::count(const Block& block, const Access& a, bool shared) {
  const unsigned thread = block.thread().number, lane = thread % kWarp;
  Open& open = open_[{{shared, a.kind != AccessKind::read, a.pc}, thread / kWarp}];
  const std::size_t turn = open.executed[lane]++;
  if (turn == open.requests.size()) open.requests.emplace_back();
  Request& r = open.requests[turn];
  r.lanes |= 1U << lane;
  r.address[lane] = reinterpret_cast<std::uintptr_t>(a.p);
  r.bytes = a.bytes;
}

void Profile::end_interval() {
  for (const auto& [key, open] : open_) {
    const bool shared = std::get<0>(key.first);
    Line& line = kernel_->sites[key.first];
    for (const Request& r : open.requests) {
      const RequestCost cost = shared ? shared_cost(r) : global_cost(r);
      ++line.requests;
      line.sum += static_cast<std::uint64_t>(cost.worst);
      line.extra += static_cast<std::uint64_t>(cost.extra);
      line.worst = std::max(line.worst, cost.worst);
    }
  }
  open_.clear();
}

// 3. the report

std::string Profile::text_of_lines(const Kernel& kernel, bool shared) {
  std::vector<const void*> pcs;
  for (const auto& [site, line] : kernel.sites) pcs.push_back(std::get<2>(site));
  symbolize_all(pcs);
  std::map<std::pair<std::string, bool>, Line> lines;  // place, write
  for (const auto& [site, line] : kernel.sites) {
    const auto [of_shared, write, pc] = site;
    if (of_shared != shared) continue;
    Line& sum = lines[{symbolize(pc), write}];
    sum.requests += line.requests;
    sum.sum += line.sum;
    sum.extra += line.extra;
    sum.worst = std::max(sum.worst, line.worst);
  }
  if (lines.empty()) return "";
  std::string text =
      shared ? "\n| shared memory | | requests | worst conflict | extra cycles |\n"
             : "\n| global memory | | requests | sectors a request | the fewest possible |\n";
  text += "|---|---|---:|---:|---:|\n";
  for (const auto& [key, line] : lines) {
    const auto requests = static_cast<double>(line.requests);
    text +=
        fmt::format("| {} | {} | {} | ", key.first, key.second ? "write" : "read", line.requests);
    text += shared ? fmt::format("{}-way | {} |\n", line.worst, line.extra)
                   : fmt::format("{:.2f} | {:.2f} |\n", static_cast<double>(line.sum) / requests,
                                 static_cast<double>(line.sum - line.extra) / requests);
  }
  return text;
}

std::string Profile::text() const {
  std::string text = "# What the kernels did\n";
  for (const auto& [address, k] : kernels_) {
    text += fmt::format(
        "\n## {}: {}\n\n{} launches, {} blocks, {} threads, {} barriers, {} warp collectives.\n",
        k.operation, function_name(address), k.launches, k.blocks, k.threads, k.counts.barriers,
        k.counts.collectives);
    text += text_of_lines(k, true) + text_of_lines(k, false);
  }
  if constexpr (!kChecking)
    text += "\nThis build does not see single accesses: the one with checks does (simt-check).\n";
  return text;
}

Profile::~Profile() {
  FILE* file = std::fopen(path_.c_str(), "w");
  const std::string report = text();
  const bool written =
      file != nullptr && std::fwrite(report.data(), 1, report.size(), file) == report.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) twinage::note("[simt] cannot write the report to {}\n", path_);
}

}  // namespace gpu
