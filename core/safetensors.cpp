#include "core/safetensors.h"

#include <cstring>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace twinage {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxFile = std::size_t{16} << 30;
constexpr std::size_t kMaxHeader = 100'000'000;  // the limit of the reference implementation

struct DTypeName {
  DType dtype;
  const char* name;
  std::size_t size;
};
constexpr DTypeName kDTypes[] = {{DType::f32, "F32", 4},
                                 {DType::f64, "F64", 8},
                                 {DType::i32, "I32", 4},
                                 {DType::i64, "I64", 8},
                                 {DType::u8, "U8", 1}};

const DTypeName& named(DType dtype) {
  for (const auto& known : kDTypes)
    if (known.dtype == dtype) return known;
  fail("[safetensors] unknown type {}", static_cast<int>(dtype));
}

DType parse_dtype(const std::string& path, const std::string& name) {
  for (const auto& known : kDTypes)
    if (name == known.name) return known.dtype;
  fail("[safetensors] {}: type {} is not read here (F32, F64, I32, I64 and U8 are)", path, name);
}

// One entry of the header, every bound checked.
SafetensorsEntry parse_entry(const std::string& path, const std::string& name, const Json& json,
                             std::uint64_t data_bytes) {
  SafetensorsEntry entry;
  entry.dtype = parse_dtype(path, json.at("dtype").get<std::string>());
  std::uint64_t bytes = size_of(entry.dtype);
  for (const Json& extent : json.at("shape")) {
    require(extent.is_number_unsigned(), "[safetensors] {}: {} has a negative extent", path, name);
    const auto n = extent.get<std::uint64_t>();
    require(n == 0 || bytes <= kMaxFile / n, "[safetensors] {}: {} is too large", path, name);
    bytes *= n;
    entry.shape.push_back(static_cast<Index>(n));
  }
  const Json& offsets = json.at("data_offsets");
  require(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
              offsets[1].is_number_unsigned(),
          "[safetensors] {}: {} has no valid data_offsets", path, name);
  entry.begin = offsets[0].get<std::uint64_t>();
  entry.end = offsets[1].get<std::uint64_t>();
  require(entry.begin <= entry.end && entry.end <= data_bytes,
          "[safetensors] {}: {} lies at bytes {} to {}, but the file has {}: it was cut off", path,
          name, entry.begin, entry.end, data_bytes);
  require(entry.end - entry.begin == bytes,
          "[safetensors] {}: {} has {} bytes, its shape and type say {}", path, name,
          entry.end - entry.begin, bytes);
  return entry;
}

template <class To, class From>
std::vector<To> widened(std::span<const std::byte> bytes) {
  std::vector<To> values(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<To>(value);
  }
  return values;
}

}  // namespace

std::size_t size_of(DType dtype) {
  return named(dtype).size;
}

Index SafetensorsEntry::count() const {
  return static_cast<Index>((end - begin) / size_of(dtype));
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile file;
  file.path_ = path;
  file.data_ = read_binary_file(path, kMaxFile);
  std::uint64_t header_bytes = 0;
  const std::size_t total = file.data_.size();
  require(total >= sizeof header_bytes, "[safetensors] {} is too short to be a safetensors file",
          path.string());
  std::memcpy(&header_bytes, file.data_.data(), sizeof header_bytes);
  require(header_bytes <= kMaxHeader && header_bytes <= total - sizeof header_bytes,
          "[safetensors] {}: the header should have {} bytes, the file has {} in all: it was cut "
          "off, or is no safetensors file",
          path.string(), header_bytes, total);
  const char* text = reinterpret_cast<const char*>(file.data_.data()) + sizeof header_bytes;
  try {
    const Json header = Json::parse(text, text + header_bytes);
    const std::uint64_t data_bytes = total - sizeof header_bytes - header_bytes;
    for (const auto& [name, json] : header.items()) {
      if (name == "__metadata__")
        file.metadata_ = json.get<std::map<std::string, std::string>>();
      else
        file.entries_[name] = parse_entry(path.string(), name, json, data_bytes);
    }
  } catch (const Json::exception& error) {
    fail("[safetensors] {}: the header is not valid: {}", path.string(), error.what());
  }
  file.data_.erase(
      file.data_.begin(),
      file.data_.begin() + static_cast<std::ptrdiff_t>(sizeof header_bytes + header_bytes));
  return file;
}

const SafetensorsEntry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  require(found != entries_.end(), "[safetensors] {} has no tensor '{}'", path_.string(), name);
  return found->second;
}

std::span<const std::byte> SafetensorsFile::bytes(const std::string& name) const {
  const SafetensorsEntry& e = entry(name);
  return std::span(data_).subspan(e.begin, e.end - e.begin);
}

std::vector<float> SafetensorsFile::floats(const std::string& name) const {
  require(entry(name).dtype == DType::f32, "[safetensors] {}: expected '{}' to be F32",
          path_.string(), name);
  return widened<float, float>(bytes(name));
}

std::vector<double> SafetensorsFile::doubles(const std::string& name) const {
  const DType dtype = entry(name).dtype;
  if (dtype == DType::f32) return widened<double, float>(bytes(name));
  require(dtype == DType::f64, "[safetensors] {}: expected '{}' to be F32 or F64", path_.string(),
          name);
  return widened<double, double>(bytes(name));
}

std::vector<std::int64_t> SafetensorsFile::integers(const std::string& name) const {
  const DType dtype = entry(name).dtype;
  if (dtype == DType::i32) return widened<std::int64_t, std::int32_t>(bytes(name));
  require(dtype == DType::i64, "[safetensors] {}: expected '{}' to be I32 or I64", path_.string(),
          name);
  return widened<std::int64_t, std::int64_t>(bytes(name));
}

void SafetensorsWriter::add_bytes(const std::string& name, DType dtype,
                                  std::span<const std::byte> bytes, std::vector<Index> shape) {
  std::size_t expected = size_of(dtype);
  for (Index extent : shape) expected *= static_cast<std::size_t>(extent);
  require(expected == bytes.size(), "[safetensors] '{}': expected {} bytes for its shape, got {}",
          name, expected, bytes.size());
  tensors_[name] = {dtype, std::move(shape), {bytes.begin(), bytes.end()}};
}

void SafetensorsWriter::add(const std::string& name, std::span<const float> values,
                            std::vector<Index> shape) {
  add_bytes(name, DType::f32, std::as_bytes(values), std::move(shape));
}
void SafetensorsWriter::add(const std::string& name, std::span<const double> values,
                            std::vector<Index> shape) {
  add_bytes(name, DType::f64, std::as_bytes(values), std::move(shape));
}
void SafetensorsWriter::add(const std::string& name, std::span<const std::int64_t> values,
                            std::vector<Index> shape) {
  add_bytes(name, DType::i64, std::as_bytes(values), std::move(shape));
}
void SafetensorsWriter::add(const std::string& name, std::span<const std::uint8_t> values,
                            std::vector<Index> shape) {
  add_bytes(name, DType::u8, std::as_bytes(values), std::move(shape));
}

void SafetensorsWriter::set_metadata(const std::string& key, const std::string& value) {
  metadata_[key] = value;
}

void SafetensorsWriter::write(const std::filesystem::path& path) const {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors_) {
    const std::uint64_t end = offset + tensor.bytes.size();
    header[name] = {{"dtype", named(tensor.dtype).name},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data starts at a multiple of 8
  const std::uint64_t header_bytes = text.size();
  std::vector<std::span<const std::byte>> parts;
  parts.push_back(std::as_bytes(std::span(&header_bytes, 1)));
  parts.push_back(std::as_bytes(std::span(text.data(), text.size())));
  for (const auto& [name, tensor] : tensors_) parts.emplace_back(tensor.bytes);
  write_file_atomically(path, parts);
}

}  // namespace twinage
