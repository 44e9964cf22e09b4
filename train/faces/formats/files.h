// What the formats share: folders that are searched, and files that a list names.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// Why no picture can be in this file: there is none, it is empty, it is no file.
Reason check_file(const std::filesystem::path& path);

// Throws Error unless `path` is a folder; `format` stands in the message.
void require_folder(const std::filesystem::path& path, std::string_view format);

// Labels from the name of a picture, without its folder, or why it has none.
using ReadName = std::function<Reason(Face& face, std::string_view name)>;

// Adds every file in the folder and its subfolders to dataset.faces or, with the reason, to
// dataset.skipped. A folder that cannot be read is skipped, too; hidden ones and links to folders,
// which may lead in circles, are not followed.
void search_folder(FaceDataset& dataset, const std::filesystem::path& folder, const ReadName& read);

// Whether a picture that search_folder would come to has such a name. Stops at the first.
bool any_picture(const std::filesystem::path& folder,
                 const std::function<bool(std::string_view name)>& named);

// The same of the whole path: where folders say what is on a picture.
bool any_picture_at(const std::filesystem::path& folder,
                    const std::function<bool(const std::filesystem::path& path)>& fits);

// The files of the folder and its subfolders with this extension, ".csv" in any case; sorted.
std::vector<std::filesystem::path> files_with(const std::filesystem::path& folder,
                                              std::string_view extension);

// Adds to dataset.skipped the pictures in the folder that it does not hold yet.
void skip_others(FaceDataset& dataset, const std::filesystem::path& folder,
                 const std::string& reason);

// What was skipped, in a line: how many, the first of them and why; and, where pictures were looked
// for in a folder, a manifest in it that may be meant.
std::string skipped_text(const FaceDataset& dataset);

// The file that a list in `folder` means, as written; where that is no file, with Windows' \ as /.
std::filesystem::path listed_file(const std::filesystem::path& folder, std::string_view written);

// The same of a list that came with its pictures: where there is no such file, its extension is
// tried in lower and in upper case. Returns why it cannot be: it leads out of the folder.
Reason official_file(std::filesystem::path& file, const std::filesystem::path& folder,
                     std::string_view written);

// Where a path lies in a data set that comes with a split: the folder of the whole set and the part
// that the path names, which is empty for all of them.
struct OfficialPlace {
  std::filesystem::path root;
  std::string part;
};
// `path` is a part's folder beside the part's list, the folder of all of them, or a folder with one
// such in it, as archives unpack. Whether a folder holds a part's list says has_list(root, part).
std::optional<OfficialPlace> official_place(const std::filesystem::path& path,
                                            std::span<const std::string_view> parts,
                                            bool (*has_list)(const std::filesystem::path& root,
                                                             std::string_view part));
// Those of `parts` that have a list there, in that order.
std::vector<std::string> official_parts(const std::filesystem::path& root,
                                        std::span<const std::string_view> parts,
                                        bool (*has_list)(const std::filesystem::path& root,
                                                         std::string_view part));

// The digits that a name begins with, which are taken off it.
std::string_view take_digits(std::string_view& text);
// A person's number without leading zeros, which lists leave out.
std::string without_zeros(std::string_view digits);

// The fields of the first line of a regular file, in lower case; empty where it is no such text.
std::vector<std::string> header_of(const std::filesystem::path& path);

}  // namespace twinage
