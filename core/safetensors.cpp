#include "core/safetensors.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/content_hash.h"
#include "core/error.h"
#include "core/files.h"

namespace twinage {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxFile = std::size_t{16} << 30;
constexpr const char* kChecksum = "checksum";
constexpr std::size_t kMaxHeader = 100'000'000;  // the limit of the reference implementation

struct DTypeName {
  DType dtype;
  const char* name;
  std::size_t size;
};
constexpr DTypeName kDTypes[] = {{DType::f16, "F16", 2}, {DType::bf16, "BF16", 2},
                                 {DType::f32, "F32", 4}, {DType::f64, "F64", 8},
                                 {DType::u8, "U8", 1},   {DType::i8, "I8", 1},
                                 {DType::i16, "I16", 2}, {DType::i32, "I32", 4},
                                 {DType::i64, "I64", 8}, {DType::boolean, "BOOL", 1}};

const DTypeName& named(DType dtype) {
  for (const auto& known : kDTypes)
    if (known.dtype == dtype) return known;
  fail("[safetensors] unknown type {}", static_cast<int>(dtype));
}

DType parse_dtype(const std::string& path, const std::string& name) {
  for (const auto& known : kDTypes)
    if (name == known.name) return known.dtype;
  fail("[safetensors] {}: type {} is not read here", path, name);
}

// One entry of the header, every bound checked.
SafetensorsEntry parse_entry(const std::string& path, const std::string& name, const Json& json,
                             std::uint64_t data_bytes) {
  const auto has = [&](const char* key) { return json.is_object() && json.contains(key); };
  require(has("dtype") && json["dtype"].is_string() && has("shape") && json["shape"].is_array() &&
              has("data_offsets"),
          "[safetensors] {}: {} has no valid dtype, shape and data_offsets", path, name);
  SafetensorsEntry entry;
  entry.dtype = parse_dtype(path, json["dtype"].get<std::string>());
  std::uint64_t bytes = size_of(entry.dtype);
  for (const Json& extent : json["shape"]) {
    require(extent.is_number_unsigned(),
            "[safetensors] {}: {} has an extent that is no number from 0 on", path, name);
    const auto n = extent.get<std::uint64_t>();
    require(n <= kMaxFile && (n == 0 || bytes <= kMaxFile / n), "[safetensors] {}: {} is too large",
            path, name);
    bytes *= n;
    entry.shape.push_back(static_cast<Index>(n));
  }
  const Json& offsets = json["data_offsets"];
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

// What the checksum is of: a line for each tensor, in the order of their names.
std::string checksum_line(const std::string& name, DType dtype, const std::vector<Index>& shape,
                          std::span<const std::byte> bytes) {
  return fmt::format("{} {} [{}] {:016x}\n", name, named(dtype).name, fmt::join(shape, ","),
                     content_hash(bytes));
}

std::string checksum_of(const std::string& lines) {
  return fmt::format("{:016x}", content_hash(std::as_bytes(std::span(lines.data(), lines.size()))));
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

float float_of_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float size = 0;
  if (exponent == 31)
    size = fraction == 0 ? std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  else if (exponent == 0)
    size = std::ldexp(static_cast<float>(fraction), -24);
  else
    size = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

float float_of_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

std::size_t size_of(DType dtype) {
  return named(dtype).size;
}

Index SafetensorsEntry::count() const {
  return static_cast<Index>((end - begin) / size_of(dtype));
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile file;
  file.path_ = path;
  const auto content = std::make_shared<const FileContent>(path, kMaxFile);
  file.content_ = content;
  file.parse(content->bytes());
  return file;
}

SafetensorsFile SafetensorsFile::parse(std::vector<std::byte> bytes,
                                       const std::filesystem::path& path) {
  SafetensorsFile file;
  file.path_ = path;
  const auto content = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  file.content_ = content;
  file.parse(*content);
  return file;
}

void SafetensorsFile::parse(std::span<const std::byte> content) {
  std::uint64_t header_bytes = 0;
  const std::size_t total = content.size();
  require(total >= sizeof header_bytes, "[safetensors] {} is too short to be a safetensors file",
          path_.string());
  std::memcpy(&header_bytes, content.data(), sizeof header_bytes);
  require(header_bytes <= kMaxHeader && header_bytes <= total - sizeof header_bytes,
          "[safetensors] {}: the header should have {} bytes, the file has {} in all: it was cut "
          "off, or is no safetensors file",
          path_.string(), header_bytes, total);
  const char* text = reinterpret_cast<const char*>(content.data()) + sizeof header_bytes;
  data_ = content.subspan(sizeof header_bytes + header_bytes);
  parse_header({text, header_bytes}, data_.size());
  check_checksum();
}

void SafetensorsFile::parse_header(std::string_view text, std::uint64_t data_bytes) {
  const std::string path = path_.string();
  Json header;
  try {
    header = Json::parse(text);
  } catch (const Json::parse_error& error) {
    fail("[safetensors] {}: the header is no valid JSON from its byte {} on", path, error.byte);
  } catch (const Json::exception& error) {  // such as a number beyond float64
    fail("[safetensors] {}: the header is no valid JSON: {}", path, error.what());
  }
  require(header.is_object(), "[safetensors] {}: the header is no JSON object", path);
  for (const auto& [name, json] : header.items()) {
    if (name != "__metadata__") {
      entries_[name] = parse_entry(path, name, json, data_bytes);
      continue;
    }
    require(json.is_object(), "[safetensors] {}: the metadata are no JSON object", path);
    for (const auto& [key, value] : json.items()) {
      require(value.is_string(), "[safetensors] {}: expected the metadata '{}' to be text", path,
              key);
      metadata_[key] = value.get<std::string>();
    }
  }
}

void SafetensorsFile::check_checksum() const {
  const auto expected = metadata_.find(kChecksum);
  if (expected == metadata_.end()) return;
  std::string lines, nonsense;
  for (const auto& [name, entry] : entries_)
    lines += checksum_line(name, entry.dtype, entry.shape, bytes(name));
  const std::string got = checksum_of(lines);
  if (got == expected->second) return;
  // Where damage shows, it helps to say so.
  for (const auto& [name, entry] : entries_) {
    if (entry.dtype != DType::f32) continue;
    for (const float value : floats(name))
      if (!std::isfinite(value) && nonsense.empty())
        nonsense = fmt::format("; '{}' holds {}", name, value);
  }
  fail(
      "[safetensors] {} is damaged: its tensors have the checksum {}, it was written with {}{}; "
      "take another copy of the file",
      path_.string(), got, expected->second, nonsense);
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  require(found != metadata_.end(), "[safetensors] {} has no metadata '{}'", path_.string(), key);
  return found->second;
}

std::int64_t SafetensorsFile::metadata_number(const std::string& key) const {
  const std::string& text = metadata(key);
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  require(error == std::errc() && end == text.data() + text.size() && number >= 0,
          "[safetensors] {}: expected the metadata '{}' to be a whole number from 0 on, got '{}'",
          path_.string(), key, text);
  return number;
}

const SafetensorsEntry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  require(found != entries_.end(), "[safetensors] {} has no tensor '{}'", path_.string(), name);
  return found->second;
}

std::vector<float> SafetensorsFile::any_floats(const std::string& name) const {
  const std::span<const std::byte> all = bytes(name);
  switch (entry(name).dtype) {
    case DType::f16:
    case DType::bf16: {
      const auto convert = entry(name).dtype == DType::f16 ? float_of_half : float_of_bfloat16;
      std::vector<float> values;
      for (const std::uint16_t bits : widened<std::uint16_t, std::uint16_t>(all))
        values.push_back(convert(bits));
      return values;
    }
    case DType::f32:
      return widened<float, float>(all);
    case DType::f64:
      return widened<float, double>(all);
    case DType::u8:
    case DType::boolean:
      return widened<float, std::uint8_t>(all);
    case DType::i8:
      return widened<float, std::int8_t>(all);
    case DType::i16:
      return widened<float, std::int16_t>(all);
    case DType::i32:
      return widened<float, std::int32_t>(all);
    case DType::i64:
      return widened<float, std::int64_t>(all);
  }
  fail("[safetensors] {}: unknown type", name);
}

std::span<const std::byte> SafetensorsFile::bytes(const std::string& name) const {
  const SafetensorsEntry& e = entry(name);
  return data_.subspan(e.begin, e.end - e.begin);
}

std::vector<float> SafetensorsFile::floats(const std::string& name) const {
  require(entry(name).dtype == DType::f32, "[safetensors] {}: expected '{}' to be F32",
          path_.string(), name);
  return widened<float, float>(bytes(name));
}

void SafetensorsFile::read(const std::string& name, std::span<float> values) const {
  const SafetensorsEntry& e = entry(name);
  require(e.dtype == DType::f32 && e.count() == std::ssize(values),
          "[safetensors] {}: expected '{}' to be {} numbers F32", path_.string(), name,
          values.size());
  if (!values.empty()) std::memcpy(values.data(), bytes(name).data(), values.size_bytes());
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
  std::string lines;
  for (const auto& [name, tensor] : tensors_)
    lines += checksum_line(name, tensor.dtype, tensor.shape, tensor.bytes);
  auto metadata = metadata_;
  metadata[kChecksum] = checksum_of(lines);
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  header["__metadata__"] = metadata;
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
