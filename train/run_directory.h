// The files of a run, and who may write them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "train/model/model_file.h"

namespace twinage {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path config() const { return folder_ / "config.toml"; }
  std::filesystem::path metrics() const { return folder_ / "metrics.jsonl"; }
  std::filesystem::path model() const { return folder_ / kModelFile; }
  std::filesystem::path state() const { return folder_ / "state.safetensors"; }
  // Embeddings of the references so far, while the last model is being made.
  std::filesystem::path gallery() const { return folder_ / "gallery.safetensors"; }
  std::filesystem::path lock() const { return folder_ / "twinage.lock"; }
  // When it was begun and gone on with, by whom (train/session_log.h).
  std::filesystem::path sessions() const { return folder_ / "sessions.jsonl"; }
  // The process that writes to it now, by its lock; nothing where none does or none is known.
  std::optional<int> writer() const;

  // For a new run: throws Error when the folder already holds one that got as far as a state, or a
  // file of one of these names that no run wrote.
  void require_new() const;
  // For --resume: throws Error when there is no state to resume.
  void require_state() const;

 private:
  std::filesystem::path folder_;
};

// The right to write a run's files: one process at a time has it. It ends with the process, however
// that ends.
class RunLock {
 public:
  // Creates the folder if need be, locks it, removes the temporary files of killed runs, and tries
  // whether a file of so many bytes can be written. Throws Error, naming the other process, and
  // leaves no new folder behind then.
  RunLock(const RunDirectory& directory, std::uint64_t bytes);
  ~RunLock();  // removes the lock, and the folder if it was created and is still empty
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  void create_folder();
  void take();
  bool try_to_take();  // false: the file was removed by its last owner meanwhile
  void release();

  RunDirectory directory_;
  std::vector<std::filesystem::path> created_;  // folders, the outermost first
  int fd_ = -1;
};

}  // namespace twinage
