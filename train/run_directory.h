// The files of a run.
#pragma once
#include <filesystem>

namespace twinage {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path config() const { return folder_ / "config.toml"; }
  std::filesystem::path metrics() const { return folder_ / "metrics.jsonl"; }
  std::filesystem::path model() const { return folder_ / "model.safetensors"; }
  std::filesystem::path state() const { return folder_ / "state.safetensors"; }

  // For a new run: throws Error when the folder already holds one that got as far as a state.
  void require_new() const;
  void create() const;  // the folder
  // For --resume: throws Error when there is no state to resume.
  void require_state() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace twinage
