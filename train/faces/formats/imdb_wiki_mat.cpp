#include "core/error.h"
#include "core/files.h"
#include "train/faces/formats/imdb_wiki.h"

#ifdef TWINAGE_MATIO
#include <array>
#include <functional>
#include <memory>
#include <vector>

#include <matio.h>

#include "core/shared_library.h"
#endif

namespace twinage {
namespace fs = std::filesystem;

#ifndef TWINAGE_MATIO

bool can_read_mat() {
  return false;
}

void read_imdb_wiki_mat(FaceDataset& /*dataset*/, const fs::path& path) {
  fail(
      "[faces] {}: this program was built without libmatio, which reads .mat files: install "
      "libmatio-dev and build again, or export the list as CSV ('twinage data --formats' says with "
      "which columns)",
      path.string());
}

#else

namespace {

// libmatio brings HDF5, and that libcurl and 30 more libraries: a third of the time in which a
// program that is linked with them reads a picture. So it is loaded when there is such a list.
struct Matio {
  decltype(&Mat_Open) open;
  decltype(&Mat_Close) close;
  decltype(&Mat_VarRead) read;
  decltype(&Mat_VarFree) free;
  decltype(&Mat_VarGetStructFieldByName) field;

  Matio() {
    const SharedLibrary library("faces", std::array<std::string, 1>{TWINAGE_MATIO});
    library.find(open, "Mat_Open");
    library.find(close, "Mat_Close");
    library.find(read, "Mat_VarRead");
    library.find(free, "Mat_VarFree");
    library.find(field, "Mat_VarGetStructFieldByName");
  }
};

const Matio& matio() {
  static const Matio loaded;
  return loaded;
}

constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30;
constexpr std::array kNames = {"imdb", "wiki"};

std::size_t count_of(const matvar_t& array) {
  std::size_t count = 1;
  for (int i = 0; i < array.rank; ++i) count *= array.dims[i];
  return array.data == nullptr ? 0 : count;
}

template <class T>
std::function<double(std::size_t)> elements(const matvar_t& array) {
  if (array.nbytes < count_of(array) * sizeof(T)) return {};
  return [data = static_cast<const T*>(array.data)](std::size_t i) {
    return static_cast<double>(data[i]);
  };
}

// Element i of an array of numbers; nothing for an array of something else.
std::function<double(std::size_t)> numbers_of(const matvar_t& array) {
  switch (array.class_type) {
    case MAT_C_DOUBLE:
      return elements<double>(array);
    case MAT_C_SINGLE:
      return elements<float>(array);
    case MAT_C_INT8:
      return elements<std::int8_t>(array);
    case MAT_C_UINT8:
      return elements<std::uint8_t>(array);
    case MAT_C_INT16:
      return elements<std::int16_t>(array);
    case MAT_C_UINT16:
      return elements<std::uint16_t>(array);
    case MAT_C_INT32:
      return elements<std::int32_t>(array);
    case MAT_C_UINT32:
      return elements<std::uint32_t>(array);
    case MAT_C_INT64:
      return elements<std::int64_t>(array);
    case MAT_C_UINT64:
      return elements<std::uint64_t>(array);
    default:
      return {};
  }
}

void append_utf8(std::string& text, std::uint32_t c) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3F));
  } else {
    add(0xF0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3F));
    add(0x80 | (c >> 6 & 0x3F));
  }
  add(0x80 | (c & 0x3F));
}

// A row of characters: bytes of UTF-8, or units of UTF-16. Empty for anything else.
std::string text_of(const matvar_t* array) {
  if (array == nullptr || array->class_type != MAT_C_CHAR || array->data == nullptr) return "";
  if (array->data_size == 1) return {static_cast<const char*>(array->data), array->nbytes};
  if (array->data_size != 2) return "";
  const auto* units = static_cast<const std::uint16_t*>(array->data);
  const std::size_t count = array->nbytes / 2;
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t c = units[i];
    const bool pair = c >= 0xD800 && c < 0xDC00 && i + 1 < count && units[i + 1] >= 0xDC00 &&
                      units[i + 1] < 0xE000;
    if (pair) c = 0x10000 + ((c - 0xD800) << 10) + (units[++i] - 0xDC00U);
    append_utf8(text, c);
  }
  return text;
}

// The struct of arrays that such a file holds.
class MatList {
 public:
  explicit MatList(const fs::path& path) : path_(path), file_(nullptr, matio().close) {
    std::error_code error;
    require(beginning_of(path, 6) == "MATLAB" && fs::file_size(path, error) <= kMostBytes,
            "[faces] {} is no .mat file of Matlab's, or larger than {} bytes", path.string(),
            kMostBytes);
    file_.reset(matio().open(path.c_str(), MAT_ACC_RDONLY));
    require(file_ != nullptr, "[faces] {} cannot be opened by libmatio", path.string());
    for (const char* name : kNames)
      if (list_ == nullptr) list_.reset(matio().read(file_.get(), name));
    require(list_ != nullptr && list_->class_type == MAT_C_STRUCT && count_of(*list_) == 1,
            "[faces] {} holds no struct imdb or wiki: expected a list of IMDB-WIKI", path.string());
    rows_ = count_of(field("full_path"));
  }

  std::size_t rows() const { return rows_; }

  std::function<double(std::size_t)> numbers(const char* name) const {
    auto numbers = numbers_of(field(name));
    require(numbers && count_of(field(name)) == rows_,
            "[faces] {}: expected {} numbers in field {}", path_.string(), rows_, name);
    return numbers;
  }

  std::function<std::string(std::size_t)> texts(const char* name) const {
    matvar_t& array = field(name);
    require(array.class_type == MAT_C_CELL && count_of(array) == rows_ &&
                array.nbytes >= rows_ * sizeof(matvar_t*),
            "[faces] {}: expected {} cells of text in field {}", path_.string(), rows_, name);
    return [cells = static_cast<matvar_t* const*>(array.data)](std::size_t i) {
      return text_of(cells[i]);
    };
  }

  bool has(const char* name) const { return matio().field(list_.get(), name, 0) != nullptr; }

 private:
  matvar_t& field(const char* name) const {
    matvar_t* array = matio().field(list_.get(), name, 0);
    require(array != nullptr, "[faces] {} lacks the field {}", path_.string(), name);
    return *array;
  }

  fs::path path_;
  std::unique_ptr<mat_t, int (*)(mat_t*)> file_;
  std::unique_ptr<matvar_t, void (*)(matvar_t*)> list_{nullptr, matio().free};
  std::size_t rows_ = 0;
};

}  // namespace

bool can_read_mat() {
  return true;
}

void read_imdb_wiki_mat(FaceDataset& dataset, const fs::path& path) {
  const MatList list(path);
  const auto paths = list.texts("full_path");
  const auto dob = list.numbers("dob"), photo_taken = list.numbers("photo_taken"),
             gender = list.numbers("gender"), face_score = list.numbers("face_score"),
             second = list.numbers("second_face_score");
  const bool named = list.has("name");
  const auto names = named ? list.texts("name") : paths;
  for (std::size_t i = 0; i < list.rows(); ++i) {
    ImdbWikiRow row;
    row.full_path = paths(i);
    row.dob = dob(i);
    row.photo_taken = photo_taken(i);
    row.gender = gender(i);
    row.face_score = face_score(i);
    row.second_face_score = second(i);
    if (named) row.person = names(i);
    add_imdb_wiki_row(dataset, row, path.parent_path(), fmt::format("{}:{}", path.string(), i + 1));
  }
}

#endif

}  // namespace twinage
