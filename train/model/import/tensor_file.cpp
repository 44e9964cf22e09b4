#include "train/model/import/tensor_file.h"

#include "core/error.h"
#include "core/files.h"
#include "core/safetensors.h"
#include "train/model/import/pytorch_file.h"
#include "train/model/model_file.h"

namespace twinage {
namespace {

class SafetensorsSource final : public TensorFile {
 public:
  explicit SafetensorsSource(const std::filesystem::path& path)
      : TensorFile(path), file_(SafetensorsFile::open(path)) {}

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, entry] : file_.entries()) names.push_back(name);
    return names;
  }
  std::vector<Index> shape(const std::string& name) const override {
    return file_.entry(name).shape;
  }
  std::vector<float> floats(const std::string& name) const override {
    return file_.any_floats(name);
  }
  bool is_model() const override { return twinage::is_model(file_); }

 private:
  SafetensorsFile file_;
};

}  // namespace

std::unique_ptr<TensorFile> TensorFile::open(const std::filesystem::path& path) {
  std::error_code missing;
  require(std::filesystem::is_regular_file(path, missing), "[weights] {} is no file",
          path.string());
  const std::string start = beginning_of(path, 9);
  if (start.starts_with("PK\x03\x04")) return open_pytorch_file(path);
  if (start.size() == 9 && start[8] == '{') return std::make_unique<SafetensorsSource>(path);
  if (start.starts_with("\x80\x02"))
    fail(
        "[weights] {} is of PyTorch before 1.6, or pickled in another way: load it there and save "
        "its "
        "state_dict with torch.save, or as safetensors",
        path.string());
  fail("[weights] {} is neither a .safetensors file nor a .pth of torch.save", path.string());
}

}  // namespace twinage
