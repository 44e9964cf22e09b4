#include "tools/picture_source.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "core/error.h"
#include "train/faces/pictures/image.h"

namespace twinage {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStandardInput = "-";

// A picture's bytes; reading ends soon behind the largest picture there may be.
std::shared_ptr<const std::vector<std::byte>> read_standard_input() {
  constexpr std::size_t kPiece = 1 << 16;
  auto bytes = std::make_shared<std::vector<std::byte>>();
  while (std::cin && bytes->size() <= kMaxImageBytes) {
    const std::size_t begin = bytes->size();
    bytes->resize(begin + kPiece);
    std::cin.read(reinterpret_cast<char*>(bytes->data() + begin), kPiece);
    bytes->resize(begin + static_cast<std::size_t>(std::cin.gcount()));
  }
  return bytes;
}

Face picture_at(const std::string& path) {
  Face face;
  face.path = path;
  return face;
}

}  // namespace

void PictureOptions::add_to(CLI::App& command) {
  command.add_option(
      "IMAGE", inputs,
      "pictures, folders that are searched for them, or - for one on standard input");
  command.add_option("--list", list, "a file of their names, one a line; -: standard input")
      ->type_name("FILE");
  command.add_flag("--null", null_separated, "names of --list end with a zero byte (find -print0)");
}

PictureSource::PictureSource(const PictureOptions& options)
    : inputs_(options.inputs.begin(), options.inputs.end()),
      separator_(options.null_separated ? '\0' : '\n') {
  if (!options.given())
    throw UsageError("[pictures] nothing to read: name pictures, folders, - or --list FILE");
  const auto streams = std::ranges::count(inputs_, kStandardInput) +
                       static_cast<std::ptrdiff_t>(options.list == kStandardInput);
  if (streams > 1)
    throw UsageError("[pictures] standard input can be one picture or one list, not two things");
  if (streams > 0) std::ios::sync_with_stdio(false);  // nobody else reads from it
  if (options.list == kStandardInput) {
    list_ = &std::cin;
  } else if (!options.list.empty()) {
    file_.open(options.list, std::ios::binary);
    require(file_.good() && !fs::is_directory(options.list), "[pictures] --list {} cannot be read",
            options.list);
    list_ = &file_;
  }
}

std::vector<Face> PictureSource::next(std::size_t most) {
  std::vector<Face> pictures;
  while (pictures.size() < most && (!waiting_.empty() || fill())) {
    pictures.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    // Of a list that is being written now, what there is of it.
    if (waiting_.empty() && inputs_.empty() && list_ == &std::cin &&
        list_->rdbuf()->in_avail() <= 0)
      break;
  }
  return pictures;
}

bool PictureSource::fill() {
  if (!inputs_.empty()) {
    const std::string input = std::move(inputs_.front());
    inputs_.pop_front();
    add(input);
    return true;
  }
  for (std::string line; list_ != nullptr && std::getline(*list_, line, separator_);) {
    if (separator_ == '\n' && line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    // A list is of files: "-" would be the list itself.
    if (fs::is_directory(line))
      add_folder(line);
    else
      waiting_.push_back(picture_at(line));
    return true;
  }
  return false;
}

void PictureSource::add(const std::string& input) {
  std::error_code missing;
  if (input == kStandardInput) {
    waiting_.push_back(picture_at(kStandardInput));
    waiting_.back().picture = read_standard_input();
  } else if (fs::is_directory(input, missing)) {
    add_folder(input);
  } else {
    waiting_.push_back(picture_at(input));
  }
}

void PictureSource::add_folder(const std::string& folder) {
  std::vector<std::string> paths;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (has_picture_extension(entry.path()) && !entry.is_directory())
        paths.push_back(entry.path().string());
  } catch (const fs::filesystem_error& error) {
    fail("[pictures] {} cannot be read: {}", folder, error.code().message());
  }
  require(!paths.empty(), "[pictures] {} holds no picture ({})", folder, kPictureExtensions);
  std::ranges::sort(paths);
  for (const std::string& path : paths) waiting_.push_back(picture_at(path));
}

}  // namespace twinage
