// A shared library that a program can do without: loaded when it is first needed.
#pragma once
#include <span>
#include <string>

namespace twinage {

class SharedLibrary {
 public:
  // Takes the first of `files` that can be loaded. `name` is for messages. Throws Error.
  SharedLibrary(std::string name, std::span<const std::string> files);
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;

  // The function of this name. Throws Error when the library has none.
  template <class Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(address(name));
  }

 private:
  void* address(const char* name) const;

  std::string name_;
  void* handle_;  // never closed: libraries of CUDA do not survive it
};

}  // namespace twinage
