// A folder of its own for a test, removed with all its contents at the end.
#pragma once
#include <filesystem>
#include <string>

#include <stdlib.h>

#include "core/error.h"

namespace twinage::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "twinage-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "[test] cannot create {}", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace twinage::test
