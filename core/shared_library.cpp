#include "core/shared_library.h"

#include <dlfcn.h>

#include "core/error.h"

namespace twinage {

SharedLibrary::SharedLibrary(std::string name, std::span<const std::string> files)
    : name_(std::move(name)), handle_(nullptr) {
  for (const std::string& file : files) {
    handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return;
  }
  fail("[{}] expected one of the files {} on the loader's path (LD_LIBRARY_PATH), found none",
       name_, fmt::join(files, ", "));
}

void* SharedLibrary::address(const char* name) const {
  void* found = dlsym(handle_, name);
  require(found != nullptr, "[{}] the library on this machine has no function {}", name_, name);
  return found;
}

}  // namespace twinage
