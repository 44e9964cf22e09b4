// Files that are either the old version or the new one, never half of each.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twinage {

// Writes to a temporary file beside `path`, fsyncs it, renames it over `path`, fsyncs the folder.
// Throws Error (naming path and the system's reason, such as no space left) and then leaves the
// old file as it was and no temporary one behind.
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::span<const std::byte>> parts);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// Throws Error unless the folder that `path` is to be written to exists: said before hours of work,
// not after them.
void require_folder_of(const std::filesystem::path& path);

// The whole file; throws Error when it cannot be read or has more than max_bytes.
std::string read_text_file(const std::filesystem::path& path,
                           std::size_t max_bytes = std::size_t{64} << 20);
std::vector<std::byte> read_binary_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace twinage
