// Tensors by their names, from the kinds of files that weights come in: safetensors, and PyTorch's
// .pth (a zip archive of a pickle and of raw numbers, as torch.save has written since 1.6).
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/shape.h"

namespace twinage {

class TensorFile {
 public:
  virtual ~TensorFile() = default;
  // Opens a file by what it holds, not by its name. No code of it is run
  // (train/model/import/pickle.h). Throws Error for any other file, naming what it seems to be.
  static std::unique_ptr<TensorFile> open(const std::filesystem::path& path);

  virtual std::vector<std::string> names() const = 0;  // sorted
  virtual std::vector<Index> shape(const std::string& name) const = 0;
  // All numbers of a tensor, the last extent running fastest, whatever their type and strides.
  virtual std::vector<float> floats(const std::string& name) const = 0;

  // Whether Twinage wrote it as a run's model.
  virtual bool is_model() const { return false; }

  const std::filesystem::path& path() const { return path_; }

 protected:
  explicit TensorFile(std::filesystem::path path) : path_(std::move(path)) {}

 private:
  std::filesystem::path path_;
};

}  // namespace twinage
