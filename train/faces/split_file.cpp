#include "train/faces/split_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "train/faces/copies.h"
#include "train/faces/split.h"

namespace twinage {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 3> kNamed = {"train", "val", "test"};
constexpr Index kMostFolds = 100'000;

std::optional<Index> whole_number(std::string_view text) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool leading_zero = text.size() > 1 && text[0] == '0';
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || leading_zero)
    return std::nullopt;
  return value;
}

bool is_named(std::string_view part) {
  return std::ranges::find(kNamed, part) != kNamed.end();
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

class SplitParser {
 public:
  explicit SplitParser(const std::string& name) { split_.name = name; }

  SplitFile parse(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    const std::string_view title = take_line(text);
    constexpr std::string_view kAnyVersion = "# twinage split ";
    require(title == kSplitTitle || !title.starts_with(kAnyVersion),
            "[split] {} is of another version of Twinage: expected the first line '{}'",
            split_.name, kSplitTitle);
    require(title == kSplitTitle && text.find('\0') == text.npos,
            "[split] {} is no split: expected the first line '{}' ('twinage split' writes such "
            "files)",
            split_.name, kSplitTitle);
    while (!text.empty()) {
      ++line_;
      read_line(take_line(text));
    }
    add_parts();
    return std::move(split_);
  }

 private:
  void read_line(std::string_view line) {
    if (line.starts_with('#')) return read_comment(line);
    if (line.empty()) return;
    const std::size_t tab = line.find('\t');
    const std::string part(line.substr(0, std::min(tab, line.size())));
    const auto fold = whole_number(part);
    require(tab != line.npos && tab + 1 < line.size() &&
                (is_named(part) || (fold && *fold < kMostFolds)),
            "[split] {}:{}: expected train, val, test or a fold's number, a tab and a path",
            split_.name, line_);
    counts_[part] += 1;
    require(split_.part_of.emplace(line.substr(tab + 1), part).second,
            "[split] {}:{}: {} is listed twice", split_.name, line_, line.substr(tab + 1));
  }

  // "# protocol ..." and "# part NAME: N faces, fingerprint HEX, ...".
  void read_comment(std::string_view line) {
    constexpr std::string_view kProtocol = "# protocol ", kPart = "# part ",
                               kFingerprint = " faces, fingerprint ";
    if (line.starts_with(kProtocol)) split_.protocol = line.substr(kProtocol.size());
    if (!line.starts_with(kPart)) return;
    line.remove_prefix(kPart.size());
    SplitPart part;
    const std::size_t colon = line.find(": "), at = line.find(kFingerprint);
    if (colon == line.npos || at == line.npos || at < colon) return;
    part.name = line.substr(0, colon);
    const auto faces = whole_number(line.substr(colon + 2, at - colon - 2));
    line.remove_prefix(at + kFingerprint.size());
    std::uint64_t fingerprint = 0;
    const auto [end, error] =
        std::from_chars(line.data(), line.data() + line.size(), fingerprint, 16);
    require(faces && error == std::errc{}, "[split] {}:{}: expected '# part NAME: N{}HEX'",
            split_.name, line_, kFingerprint);
    part.faces = *faces;
    part.fingerprint = fingerprint;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    if (line.starts_with(", ")) part.note = line.substr(2);
    said_.push_back(std::move(part));
  }

  void add_parts() {
    Index folds = 0;
    for (const auto& [part, count] : counts_)
      if (const auto fold = whole_number(part)) folds = std::max(folds, *fold + 1);
    const bool named =
        std::ranges::any_of(kNamed, [&](auto part) { return counts_.contains(std::string(part)); });
    require(!counts_.empty(), "[split] {} lists no face", split_.name);
    require(folds == 0 || !named, "[split] {} has both folds and parts of other names",
            split_.name);
    for (const std::string_view part : kNamed) add_part(std::string(part));
    for (Index fold = 0; fold < folds; ++fold) {
      const std::string part = fmt::format("{}", fold);
      require(counts_.contains(part), "[split] {}: fold {} of {} has no face", split_.name, fold,
              folds);
      add_part(part);
    }
    for (const SplitPart& said : said_) {
      const auto found = counts_.find(said.name);
      const Index listed = found == counts_.end() ? 0 : found->second;
      require(listed == said.faces,
              "[split] {} says that part {} has {} faces, and lists {}: it was cut off or changed",
              split_.name, said.name, said.faces, listed);
    }
  }

  void add_part(const std::string& name) {
    if (!counts_.contains(name)) return;
    SplitPart part{name, counts_.at(name), std::nullopt};
    for (const SplitPart& said : said_)
      if (said.name == name) part = said;
    split_.parts.push_back(std::move(part));
  }

  SplitFile split_;
  Index line_ = 1;
  std::map<std::string, Index> counts_;
  std::vector<SplitPart> said_;
};

// Why a listed face is not among those found.
std::string why_missing(const FaceDataset& found, const fs::path& data, const std::string& name) {
  for (const Skipped& skipped : found.skipped)
    if (name_in_split(data, skipped.path) == name) return skipped.reason;
  return "there is no such picture";
}

void require_unchanged(const SplitFile& split, const SplitPart& part,
                       const std::vector<Face>& faces) {
  if (!part.fingerprint) return;
  const std::uint64_t now = fingerprint(faces);
  require(now == *part.fingerprint,
          "[split] the faces of part {} of {} are not what they were when it was made: names, "
          "ages, genders, persons or pictures differ (fingerprint {:016x} then, {:016x} now); make "
          "it anew, or delete its lines '# part' to use it all the same",
          part.name, split.name, *part.fingerprint, now);
}

}  // namespace

bool SplitFile::has(std::string_view part) const {
  return std::ranges::find(parts, part, &SplitPart::name) != parts.end();
}

Index SplitFile::folds() const {
  return parts.empty() || is_named(parts.front().name) ? 0 : static_cast<Index>(parts.size());
}

std::string to_text(const SplitFile& split) {
  std::string text = fmt::format("{}\n# protocol {}\n", kSplitTitle, split.protocol);
  for (const SplitPart& part : split.parts) {
    text += fmt::format("# part {}: {} faces", part.name, part.faces);
    if (part.fingerprint) text += fmt::format(", fingerprint {:016x}", *part.fingerprint);
    text += part.note.empty() ? "\n" : fmt::format(", {}\n", part.note);
  }
  for (const auto& [path, part] : split.part_of) {
    const std::size_t end = path.find_first_of("\r\n");
    require(
        end == path.npos,
        "[split] a picture's name has a line break, which a line of a split cannot hold: rename "
        "{}...",
        path.substr(0, end));
    text += fmt::format("{}\t{}\n", part, path);
  }
  return text;
}

SplitFile parse_split(std::string_view text, const std::string& name) {
  return SplitParser(name).parse(text);
}

SplitFile read_split(const fs::path& path) {
  return parse_split(read_text_file(path), path.string());
}

std::string name_in_split(const fs::path& data, const std::string& path) {
  std::error_code error;
  const fs::path folder = fs::is_directory(data, error) ? data : data.parent_path();
  const fs::path from = fs::absolute(folder.empty() ? "." : folder, error).lexically_normal();
  return fs::absolute(path, error).lexically_normal().lexically_relative(from).generic_string();
}

FaceDataset faces_of_split(const FaceDataset& found, const fs::path& data, const SplitFile& split,
                           std::span<const std::string> parts, int threads,
                           const std::function<void(Index, Index)>& progress) {
  std::map<std::string, const Face*> there;
  for (const Face& face : found.faces) there.emplace(name_in_split(data, face.path), &face);
  FaceDataset chosen;
  chosen.format = found.format;
  chosen.race_names = found.race_names;
  Index listed = 0, missing = 0;
  std::string first;
  for (const auto& [name, part] : split.part_of) {
    if (std::ranges::find(parts, part) == parts.end()) continue;
    ++listed;
    if (const auto face = there.find(name); face != there.end()) {
      chosen.faces.push_back(*face->second);
      chosen.faces.back().part = part;
    } else if (missing++ == 0) {
      first = name;
    }
  }
  require(missing == 0, "[split] {} of the {} faces of {} are not in {}, the first: {}: {}",
          missing, listed, split.name, data.string(), first, why_missing(found, data, first));
  const std::size_t before = chosen.faces.size();
  read_contents(chosen, threads, progress);
  require(chosen.faces.size() == before, "[split] {} of the {} faces of {} cannot be read: {}",
          before - chosen.faces.size(), listed, split.name,
          chosen.skipped.empty() ? "" : description(chosen.skipped.front()));
  for (const std::string& name : parts) {
    std::vector<Face> faces;
    for (const Face& face : chosen.faces)
      if (face.part == name) faces.push_back(face);
    for (const SplitPart& part : split.parts)
      if (part.name == name) require_unchanged(split, part, faces);
  }
  std::ranges::stable_sort(chosen.faces, {}, &Face::path);
  return chosen;
}

SplitSides sides_of(const SplitFile& split, Index fold) {
  SplitSides sides;
  const Index folds = split.folds();
  if (folds == 0 && fold != 0)
    throw UsageError(fmt::format("[split] {} has no folds: leave out --fold", split.name));
  if (fold < 0 || (folds > 0 && fold >= folds))
    throw UsageError(
        fmt::format("[split] {} has folds 0 to {}, and no {}", split.name, folds - 1, fold));
  const std::string left_out = fmt::format("{}", fold);
  for (const SplitPart& part : split.parts)
    (folds > 0              ? (part.name == left_out ? sides.others : sides.train)
     : part.name == "train" ? sides.train
     : part.name == "val"   ? sides.val
                            : sides.others)
        .push_back(part.name);
  if (sides.train.empty())
    throw UsageError(fmt::format("[split] {} has no part to train on", split.name));
  return sides;
}

}  // namespace twinage
