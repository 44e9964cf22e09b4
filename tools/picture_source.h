// The pictures that a command is to read, one after another however many there are: files by their
// names, folders that are searched, a list of names, a picture on standard input.
#pragma once
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/picture_limits.h"
#include "train/faces/face_dataset.h"

namespace twinage {

struct PictureOptions {
  std::vector<std::string> inputs;
  std::string list;
  bool null_separated = false;

  // IMAGE..., --list and --null.
  void add_to(CLI::App& command);
  // Whether any of them was given.
  bool given() const { return !inputs.empty() || !list.empty(); }
};

class PictureSource {
 public:
  // Throws UsageError where nothing is named, where standard input is named twice, and Error for a
  // list that cannot be read.
  explicit PictureSource(const PictureOptions& options);
  PictureSource(const PictureSource&) = delete;
  PictureSource& operator=(const PictureSource&) = delete;

  // The next ones, at most `most`, and none at the end. A file that is not there is one of them:
  // who reads it will say so. A folder's are in the order of their paths, those that end as
  // pictures do. Throws Error for a folder that holds none or cannot be read.
  std::vector<Face> next(std::size_t most);

 private:
  bool fill();  // waiting_ with what the next input stands for; false: there is none
  void add(const std::string& input);
  void add_folder(const std::string& folder);

  std::deque<std::string> inputs_;
  std::ifstream file_;
  std::istream* list_ = nullptr;
  char separator_ = '\n';
  std::deque<Face> waiting_;
};

}  // namespace twinage
