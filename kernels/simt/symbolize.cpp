#include "kernels/simt/symbolize.h"

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include <link.h>
#include <unistd.h>

#include "core/error.h"

namespace gpu {
namespace {

// Where the program was loaded: addr2line counts from there.
std::uintptr_t load_address() {
  std::uintptr_t address = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        *static_cast<std::uintptr_t*>(result) = info->dlpi_addr;
        return 1;  // the first is the program itself
      },
      &address);
  return address;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// One function of a chain of inlined ones: its name and the place in it.
struct Frame {
  std::string function, file, line;
};

// The chains of all addresses, innermost first. Empty without the tool.
std::vector<std::vector<Frame>> run_addr2line(const std::vector<std::uintptr_t>& addresses) {
  std::string command = fmt::format("addr2line -a -i -f -C -e /proc/{}/exe", getpid());
  for (const std::uintptr_t a : addresses) command += fmt::format(" {:#x}", a - load_address());
  command += " 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(command.c_str(), "r"), pclose);
  if (output == nullptr) return {};
  std::string text;
  char part[4096];
  for (std::size_t n; (n = fread(part, 1, sizeof part, output.get())) > 0;) text.append(part, n);

  // For each address: the address, then pairs of lines, function and file:line.
  std::vector<std::vector<Frame>> chains;
  std::string function;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    if (line.starts_with("0x")) {
      chains.emplace_back();
      function.clear();
    } else if (function.empty()) {
      function = line;
    } else if (!chains.empty()) {
      const std::size_t colon = line.rfind(':');
      const std::string number = line.substr(colon + 1);
      chains.back().push_back(
          {function, line.substr(0, colon), number.substr(0, number.find(' '))});
      function.clear();
    }
  }
  return chains;
}

// Whether a reader of kernels wants to see this file: not the headers below a kernel.
bool in_kernel_source(const std::string& file) {
  return file.ends_with(".cu") || file.find("/kernels/simt/") == file.npos;
}

struct Cache {
  std::mutex mutex;
  std::map<const void*, std::string> places;
};

Cache& cache() {
  static Cache* c = new Cache;  // never destroyed: reports are written at the end of the program
  return *c;
}

}  // namespace

void symbolize_all(const std::vector<const void*>& pcs) {
  constexpr std::size_t kAtOnce = 2000;  // addresses on a command line
  const std::lock_guard lock(cache().mutex);
  auto& places = cache().places;
  for (std::size_t first = 0; first < pcs.size(); first += kAtOnce) {
    std::vector<const void*> wanted;
    std::vector<std::uintptr_t> addresses;
    for (std::size_t i = first; i < std::min(pcs.size(), first + kAtOnce); ++i)
      if (!places.contains(pcs[i])) {
        wanted.push_back(pcs[i]);
        addresses.push_back(reinterpret_cast<std::uintptr_t>(pcs[i]) - 1);
      }
    if (wanted.empty()) continue;
    const auto chains = run_addr2line(addresses);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      std::string& place = places[wanted[i]];
      place =
          fmt::format("address {:#x} (addr2line knows the line)", addresses[i] - load_address());
      if (i >= chains.size()) continue;
      for (const Frame& frame : chains[i]) {
        if (frame.file.starts_with("?")) continue;
        place = base_name(frame.file) + ":" + frame.line;
        if (in_kernel_source(frame.file)) break;
      }
    }
  }
}

std::string symbolize(const void* pc) {
  symbolize_all({pc});
  const std::lock_guard lock(cache().mutex);
  return cache().places.at(pc);
}

std::string function_name(const void* function) {
  const auto chains = run_addr2line({reinterpret_cast<std::uintptr_t>(function)});
  if (chains.empty() || chains[0].empty()) return "?";
  // The last is the function itself, not what was inlined at its start:
  // "void twinage::simt::(anonymous namespace)::tile<64, 64>(float*, int)".
  std::string name = chains[0].back().function;
  const std::string anonymous = "(anonymous namespace)::";
  if (const auto at = name.find(anonymous); at != name.npos) name.erase(0, at + anonymous.size());
  return name.substr(0, name.find('('));
}

std::string place_text(Place place) {
  return fmt::format("{}:{}", base_name(place.file), place.line);
}

}  // namespace gpu
