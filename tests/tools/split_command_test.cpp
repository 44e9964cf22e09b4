// A split from the command that makes it to the figures of a model that was trained by it.
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/captured_stderr.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/learnable_faces.h"
#include "tools/commands.h"
#include "tools/split_text.h"
#include "train/faces/split_file.h"
#include "train/model/model_file.h"

using namespace twinage;
using twinage::test::CapturedStderr;
using twinage::test::make_faces;
using twinage::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

void twinage_command(const std::string& line) {
  CLI::App app;
  add_split_command(app);
  add_train_command(app);
  add_eval_command(app);
  app.parse(line);
}

std::string refusal(const std::string& line) {
  const CapturedStderr quiet;
  try {
    twinage_command(line);
  } catch (const Error& error) {
    return error.what();
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return "(no error)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kShort = " --steps 2 --batch 8 --threads 2 --set readout.zooms=false";

// The names of the pictures in a part, and of those that a model has as references.
std::set<std::string> names_of(const SplitFile& split, const std::string& part) {
  std::set<std::string> names;
  for (const auto& [path, of] : split.part_of)
    if (of == part) names.insert(path);
  return names;
}
std::set<std::string> references_of(const fs::path& run) {
  std::set<std::string> names;
  for (const std::string& name : load_model(run).gallery.names)
    names.insert(fs::path(name).filename().string());
  return names;
}

}  // namespace

TEST_CASE(
    "split, train, eval: nothing of the test part is trained on, and it is what is measured") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 60, 1);
  const std::string data = " --data " + (folder / "faces").string(),
                    file = (folder / "split.txt").string(), run = (folder / "run").string();
  twinage_command("split" + data + " --val-share 0.1 --seed 3 --out " + file);
  const std::string text = read_text_file(file);
  const SplitFile split = read_split(file);
  CHECK(names_of(split, "test").size() == 12);
  CHECK(names_of(split, "val").size() == 6);
  {
    const CapturedStderr captured;
    twinage_command("train" + data + " --split " + file + kShort + " --out " + run);
    CHECK(contains(captured.text(), "part val of " + file + ": 6 faces"));
  }
  for (const std::string& name : references_of(run)) CHECK(split.part_of.at(name) == "train");
  for (const char* part : {"test", "val", "train"}) {
    const std::string figures = (folder / (std::string(part) + ".json")).string();
    const CapturedStderr captured;
    twinage_command("eval " + run + data + " --split " + file + " --part " + part + " --out " +
                    figures);
    const auto json = nlohmann::json::parse(read_text_file(figures));
    CHECK(json["origins"]["faces"] == names_of(split, part).size());
    CHECK(json["origins"]["unseen"] ==
          (std::string(part) == "train" ? 0 : names_of(split, part).size()));
  }
  // Test is what is measured unless told otherwise.
  const std::string figures = (folder / "again.json").string();
  twinage_command("eval " + run + data + " --split " + file + " --out " + figures);
  CHECK(read_text_file(figures) == read_text_file(folder / "test.json"));

  // Going on: with the same split, and with no other.
  const std::string resume = "train --resume --steps 3 --out " + run;
  {
    const CapturedStderr quiet;
    twinage_command(resume);
  }
  CHECK(contains(refusal(resume + " --split " + (folder / "other.txt").string()), "other.txt"));
  twinage_command("split" + data + " --seed 4 --out " + (folder / "other.txt").string());
  CHECK(contains(refusal(resume + " --split " + (folder / "other.txt").string()), "data.split"));
  CHECK(contains(refusal("split" + data + " --seed 5 --out " + file), "would be overwritten"));
  CHECK(read_text_file(file) == text);
  twinage_command("split" + data + " --val-share 0.1 --seed 3 --out " + file);  // the same: no harm
  twinage_command("split" + data + " --seed 5 --out " + file + " --force");
  CHECK(contains(refusal(resume), "began with other faces"));

  fs::remove(*fs::directory_iterator(folder / "faces"));
  CHECK(contains(refusal("eval " + run + data + " --split " + file + " --part train") +
                     refusal("eval " + run + data + " --split " + file + " --part test"),
                 "faces of " + file + " are not in"));
  const std::string left = refusal("train" + data + " --split " + file + kShort + " --out " +
                                   (folder / "none").string());
  CHECK(contains(left, "1 of the 60 faces of " + file + " are not in"));
  CHECK_FALSE(fs::exists(folder / "none"));
}

TEST_CASE("split, train, eval: of folds the one that was left out is measured") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 45, 1);
  const std::string data = " --data " + (folder / "faces").string(),
                    file = (folder / "split.txt").string(), run = (folder / "run").string();
  twinage_command("split" + data + " --protocol folds --folds 3 --out " + file);
  const SplitFile split = read_split(file);
  const CapturedStderr quiet;
  twinage_command("train" + data + " --split " + file + " --fold 1" + kShort + " --out " + run);
  for (const std::string& name : references_of(run)) CHECK(split.part_of.at(name) != "1");
  const std::string figures = (folder / "figures.json").string();
  twinage_command("eval " + run + data + " --split " + file + " --out " + figures);
  CHECK(nlohmann::json::parse(read_text_file(figures))["origins"]["unseen"] == 15);
  twinage_command("eval " + run + data + " --split " + file + " --fold 2 --out " + figures);
  CHECK(nlohmann::json::parse(read_text_file(figures))["origins"]["unseen"] == 0);
  CHECK(contains(refusal("train --resume --steps 3 --fold 2 --out " + run), "data.fold"));
}

TEST_CASE("a split made by hand: what two parts have is trained on in neither") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 45, 1);
  std::string text(kSplitTitle);
  int count = 0;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder / "faces")) paths.push_back(entry.path());
  std::ranges::sort(paths);
  for (const fs::path& path : paths)
    text += fmt::format("\n{}\t{}", count++ < 5 ? "test" : "train", path.filename().string());
  fs::copy_file(paths[0], folder / "faces/5_0_0_copy.png");
  text += "\ntrain\t5_0_0_copy.png\n";
  const std::string file = (folder / "split.txt").string(), run = (folder / "run").string();
  write_file_atomically(file, text);
  const CapturedStderr captured;
  twinage_command("train --data " + (folder / "faces").string() + " --split " + file + kShort +
                  " --out " + run);
  CHECK(contains(captured.text(), "1 pictures to train on are in other parts of the split, too"));
  CHECK_FALSE(references_of(run).contains("5_0_0_copy.png"));
}

TEST_CASE("split: options without a meaning are refused, and what is needed is said") {
  const TemporaryFolder folder;
  make_faces(folder / "faces", 20, 1);
  const std::string data = " --data " + (folder / "faces").string(),
                    file = (folder / "split.txt").string(), to = data + " --out " + file;
  CHECK(contains(refusal("split" + to + " --protocol official --seed 2"), "no use for --seed"));
  CHECK(contains(refusal("split" + to + " --protocol folds --share 0.3"), "no use for --share"));
  CHECK(contains(refusal("split" + to + " --folds 3"), "no use for --folds"));
  CHECK(contains(refusal("split" + to + " --protocol person"), "who is on a picture"));
  CHECK(contains(refusal("split" + to + " --protocol nosuch"), "leave-one-out"));
  CHECK_FALSE(fs::exists(file));
  CHECK(contains(refusal("train --data faces --fold 1 --steps 1 --out run"), "add --split"));
  write_file_atomically(file, "path,age\n");
  CHECK(contains(refusal("train" + data + " --split " + file + " --steps 1 --out " +
                         (folder / "run").string()),
                 "is no split"));
  CHECK(contains(refusal("split" + to), "would be overwritten"));
}

TEST_CASE("what is said of a split fits into 80 columns and holds no control characters") {
  MadeSplit made;
  made.file.protocol = "leave-one-out, of format fg-net";
  for (int i = 0; i < 82; ++i)
    made.parts.push_back({fmt::format("{}", i), "person " + std::string(100, 'x') + "\x1b", 123456,
                          12345, 0, 120, 99.9});
  made.persons_known = true;
  made.copies = made.left_out = 123456;
  made.on_both_sides = 3;
  const std::string text = split_as_text("s.txt\x1b", made, 3, 2);
  CHECK(contains(text, "and 62 more"));
  CHECK(contains(text, "0 persons are in more than one part"));
  std::size_t column = 0;
  for (const char c : text) {
    column = c == '\n' ? 0 : column + 1;
    CHECK(column <= 80);
    CHECK((c == '\n' || static_cast<unsigned char>(c) >= ' '));
  }
}
