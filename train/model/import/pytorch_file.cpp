#include "train/model/import/pytorch_file.h"

#include "core/error.h"

#ifndef TWINAGE_LIBZIP

namespace twinage {

std::unique_ptr<TensorFile> open_pytorch_file(const std::filesystem::path& path) {
  fail(
      "[weights] {} is an archive of PyTorch, and this build has no libzip to read it (libzip-dev, "
      "pkg-config, then cmake anew); a .safetensors file can be read",
      path.string());
}

}  // namespace twinage

#else

#include <cstring>
#include <map>

#include <zip.h>

#include "core/files.h"
#include "train/model/import/pickle.h"

namespace twinage {
namespace {

constexpr std::uint64_t kMaxPickle = 16 << 20;  // a large network's is a megabyte

// Number i of a storage, as the nearest float.
float number_at(std::span<const std::byte> storage, DType type, std::int64_t i) {
  const std::byte* at = storage.data() + static_cast<std::size_t>(i) * size_of(type);
  const auto load = [&]<class T>(T value) {
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  switch (type) {
    case DType::f16:
      return float_of_half(load(std::uint16_t{}));
    case DType::bf16:
      return float_of_bfloat16(load(std::uint16_t{}));
    case DType::f32:
      return load(float{});
    case DType::f64:
      return static_cast<float>(load(double{}));
    case DType::u8:
    case DType::boolean:
      return static_cast<float>(load(std::uint8_t{}));
    case DType::i8:
      return static_cast<float>(load(std::int8_t{}));
    case DType::i16:
      return static_cast<float>(load(std::int16_t{}));
    case DType::i32:
      return static_cast<float>(load(std::int32_t{}));
    case DType::i64:
      return static_cast<float>(load(std::int64_t{}));
  }
  fail("[weights] an unknown type of numbers");
}

class PytorchSource final : public TensorFile {
 public:
  explicit PytorchSource(const std::filesystem::path& path) : TensorFile(path) {
    int problem = 0;
    zip_.reset(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &problem));
    require(zip_ != nullptr, "[weights] {} is cut off or damaged: it is no whole zip archive",
            path.string());
    const std::vector<std::byte> pickle = entry(pickle_name(), kMaxPickle);
    tensors_ = read_pickled_tensors(pickle, path.string());
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) names.push_back(name);
    return names;
  }
  std::vector<Index> shape(const std::string& name) const override { return tensor(name).sizes; }
  std::vector<float> floats(const std::string& name) const override {
    const PickledTensor& t = tensor(name);
    const std::uint64_t bytes = static_cast<std::uint64_t>(t.numbers) * size_of(t.type);
    const std::vector<std::byte> storage = entry(folder_ + "data/" + t.key, bytes);
    require(storage.size() == bytes, "[weights] {}: '{}' should have {} bytes, the file has {}",
            path().string(), name, bytes, storage.size());
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(t.count()));
    std::vector<Index> place(t.sizes.size(), 0);
    for (Index i = 0; i < t.count(); ++i) {
      std::int64_t at = t.offset;
      for (std::size_t k = 0; k < place.size(); ++k) at += place[k] * t.strides[k];
      values.push_back(number_at(storage, t.type, at));
      for (std::size_t k = place.size(); k > 0 && ++place[k - 1] == t.sizes[k - 1]; --k)
        place[k - 1] = 0;
    }
    return values;
  }

 private:
  struct Close {
    void operator()(zip_t* zip) const { zip_discard(zip); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };

  const PickledTensor& tensor(const std::string& name) const {
    const auto found = tensors_.find(name);
    require(found != tensors_.end(), "[weights] {} holds no '{}'", path().string(), name);
    return found->second;
  }
  // The archive has one folder, named as the file was when it was saved.
  std::string pickle_name() {
    const auto count = zip_get_num_entries(zip_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      const char* name = zip_get_name(zip_.get(), static_cast<zip_uint64_t>(i), 0);
      const std::string entry_name = name == nullptr ? "" : name;
      if (!entry_name.ends_with("data.pkl")) continue;
      folder_ = entry_name.substr(0, entry_name.size() - std::strlen("data.pkl"));
      return entry_name;
    }
    fail("[weights] {} is a zip archive, but not one of torch.save: it has no data.pkl",
         path().string());
  }
  // Not compressed, as torch.save writes them: nothing unfolds to more than the file holds.
  std::vector<std::byte> entry(const std::string& name, std::uint64_t most) const {
    zip_stat_t stat;
    require(zip_stat(zip_.get(), name.c_str(), 0, &stat) == 0 && (stat.valid & ZIP_STAT_SIZE) != 0,
            "[weights] {} lacks {}: it is cut off or damaged", path().string(), name);
    require((stat.valid & ZIP_STAT_COMP_METHOD) != 0 && stat.comp_method == ZIP_CM_STORE,
            "[weights] {}: {} is compressed, as torch.save never does", path().string(), name);
    require(stat.size <= most, "[weights] {}: {} has {} bytes, expected at most {}",
            path().string(), name, stat.size, most);
    const std::unique_ptr<zip_file_t, Close> file(zip_fopen(zip_.get(), name.c_str(), 0));
    std::vector<std::byte> bytes(static_cast<std::size_t>(stat.size));
    const bool whole = file != nullptr && zip_fread(file.get(), bytes.data(), bytes.size()) ==
                                              static_cast<zip_int64_t>(bytes.size());
    require(whole, "[weights] {}: {} cannot be read: it is cut off or damaged", path().string(),
            name);
    return bytes;
  }

  std::unique_ptr<zip_t, Close> zip_;
  std::string folder_;
  std::map<std::string, PickledTensor> tensors_;
};

}  // namespace

std::unique_ptr<TensorFile> open_pytorch_file(const std::filesystem::path& path) {
  return std::make_unique<PytorchSource>(path);
}

}  // namespace twinage

#endif
