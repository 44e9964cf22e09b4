// safetensors: the one file format for weights, optimizer state, galleries and test fixtures
// (https://github.com/huggingface/safetensors). Little-endian: u64 header length, JSON header,
// then the tensors' bytes. Files are readable by the Python package of the same name.
//
// Files written here hold a checksum of their tensors (names, types, shapes, bytes) in the
// metadata, "checksum": 16 hexadecimal digits of content_hash. It is checked when a file is opened;
// a file of another program has none, and is accepted.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"

namespace twinage {

// What is written here is f32, f64, i64 and u8; the others are in other programs' files.
enum class DType { f16, bf16, f32, f64, u8, i8, i16, i32, i64, boolean };
// IEEE 754 binary16, and the upper half of a float.
float float_of_half(std::uint16_t bits);
float float_of_bfloat16(std::uint16_t bits);

std::size_t size_of(DType dtype);

struct SafetensorsEntry {
  DType dtype = DType::f32;
  std::vector<Index> shape;          // any rank; a scalar's is empty
  std::uint64_t begin = 0, end = 0;  // bytes after the header
  Index count() const;
};

// A whole file in memory. Every bound is checked when it is opened: a truncated, oversized or
// inconsistent file throws Error with the path and what is wrong, and so does one whose tensors are
// not those of its checksum.
class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path);
  // The same of bytes in memory; `path` stands in errors.
  static SafetensorsFile parse(std::vector<std::byte> bytes, const std::filesystem::path& path);

  const std::map<std::string, SafetensorsEntry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // One text of the metadata, or a whole number of at least 0 written in digits and nothing else.
  // Throw Error naming the file and the key when it is missing or no such number.
  const std::string& metadata(const std::string& key) const;
  std::int64_t metadata_number(const std::string& key) const;
  const std::filesystem::path& path() const { return path_; }
  bool contains(const std::string& name) const { return entries_.count(name) != 0; }

  // Throw Error when the name is missing or has another type.
  const SafetensorsEntry& entry(const std::string& name) const;
  std::vector<float> floats(const std::string& name) const;           // f32
  void read(const std::string& name, std::span<float> values) const;  // f32, of that many
  std::vector<double> doubles(const std::string& name) const;         // f64, or f32 widened
  std::vector<std::int64_t> integers(const std::string& name) const;  // i64, or i32 widened
  std::vector<float> any_floats(const std::string& name) const;  // of any type, the nearest float
  std::span<const std::byte> bytes(const std::string& name) const;

 private:
  void parse(std::span<const std::byte> content);
  void parse_header(std::string_view text, std::uint64_t data_bytes);
  void check_checksum() const;

  std::filesystem::path path_;
  std::map<std::string, SafetensorsEntry> entries_;
  std::map<std::string, std::string> metadata_;
  std::shared_ptr<const void> content_;  // the whole file
  std::span<const std::byte> data_;      // the tensors' part of it
};

// Collects tensors (the bytes are copied), then writes the file atomically (core/files.h).
class SafetensorsWriter {
 public:
  void add(const std::string& name, std::span<const float> values, std::vector<Index> shape);
  void add(const std::string& name, std::span<const double> values, std::vector<Index> shape);
  void add(const std::string& name, std::span<const std::int64_t> values, std::vector<Index> shape);
  void add(const std::string& name, std::span<const std::uint8_t> values, std::vector<Index> shape);
  void set_metadata(const std::string& key, const std::string& value);
  void write(const std::filesystem::path& path) const;  // throws Error

 private:
  void add_bytes(const std::string& name, DType dtype, std::span<const std::byte> bytes,
                 std::vector<Index> shape);

  struct Tensor {
    DType dtype;
    std::vector<Index> shape;
    std::vector<std::byte> bytes;
  };
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace twinage
