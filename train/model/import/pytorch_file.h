// What torch.save writes since PyTorch 1.6: a zip archive of a pickle, data.pkl, and of raw
// numbers.
#pragma once
#include <filesystem>
#include <memory>

#include "train/model/import/tensor_file.h"

namespace twinage {

// Throws Error for an archive that is cut off, damaged or not torch.save's, and in a build without
// libzip.
std::unique_ptr<TensorFile> open_pytorch_file(const std::filesystem::path& path);

}  // namespace twinage
