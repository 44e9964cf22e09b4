#include <algorithm>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "core/parallel.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/split_text.h"
#include "train/faces/face_store.h"
#include "train/faces/protocols.h"
#include "train/progress.h"

namespace twinage {
namespace {

constexpr const char* kHelp =
    "Writes which face is trained on and which is measured with into a text file that\n"
    "can be kept and shared: one line a picture, the same for the same faces and\n"
    "seed on every machine. 'train' and 'eval' take it.\n\n"
    "  twinage split --data faces --protocol random --share 0.2 --out split.txt\n"
    "  twinage train --data faces --split split.txt --epochs 30 --out run\n"
    "  twinage eval run --data faces --split split.txt\n\n"
    "Copies of a picture are all on one side. Every picture is decoded once, so that\n"
    "no damaged one is in the split. What may be compared with whose figures is in\n"
    "docs/08-from-distance-to-age.md.";

struct SplitArguments {
  std::string data, out, protocol = "random";
  ProtocolOptions options;
  DataOptions dataset;
  bool force = false;
};

// Options without a meaning for the protocol would be silently without one.
void check_options(const CLI::App& command, const ProtocolOptions& options) {
  const ProtocolUses uses = uses_of(options.protocol);
  for (const auto& [name, used] : {std::pair("--seed", uses.seed),
                                   {"--share", uses.shares},
                                   {"--val-share", uses.shares},
                                   {"--folds", uses.folds}})
    if (command.count(name) > 0 && !used)
      throw UsageError(fmt::format("[split] protocol {} has no use for {}: leave it out",
                                   to_string(options.protocol), name));
}

[[noreturn]] void refuse(const std::string& out) {
  throw UsageError(fmt::format(
      "[split] {} would be overwritten, and holds something else: choose another --out, or add "
      "--force",
      out));
}

// Writing the same again does no harm; another split may be one that a run began with.
void write_split(const SplitArguments& a, const std::string& text) {
  std::error_code error;
  const bool there = std::filesystem::exists(a.out, error);
  if (there && read_text_file(a.out) == text) return;
  if (there && !a.force) refuse(a.out);
  write_file_atomically(a.out, text);
}

void run(const CLI::App& command, SplitArguments& a) {
  a.options.protocol = parse<Protocol>(a.protocol);
  check_options(command, a.options);
  std::error_code error;
  if (!a.force && std::filesystem::exists(a.out, error) &&
      beginning_of(a.out, kSplitTitle.size()) != kSplitTitle)
    refuse(a.out);  // before every picture is decoded
  require_writable(a.out);
  FaceDataset faces = a.dataset.find(
      a.data, a.options.protocol == Protocol::official ? OfficialParts::all : OfficialParts::named);
  const std::size_t skipped_names = faces.skipped.size();
  {
    Progress bar("decoding " + a.data);
    const FaceStore store(faces, 1, hardware_threads(), 0, bar.counter());
  }
  const MadeSplit made = make_split(faces, a.data, a.options);
  write_split(a, to_text(made.file));
  print_result("{}", split_as_text(a.out, made, static_cast<Index>(skipped_names),
                                   static_cast<Index>(faces.skipped.size() - skipped_names)));
}

}  // namespace

void add_split_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("split", "write which faces to train on and to test with");
  command->footer(fmt::format("{}\n\nProtocols:\n{}", kHelp, protocol_help()));
  auto a = std::make_shared<SplitArguments>();
  command->add_option("--data", a->data, "faces: a folder or a list")->required();
  a->dataset.add_to(*command);
  command->add_option("--protocol", a->protocol, choices<Protocol>())
      ->check(CLI::IsMember(names_of<Protocol>()))
      ->capture_default_str();
  command->add_option("--seed", a->options.seed, "of what is drawn")->capture_default_str();
  command->add_option("--share", a->options.share, "of the faces, to test with")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--val-share", a->options.val_share,
                   "of the faces, to validate on while training")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--folds", a->options.folds, "parts that are left out in turn")
      ->check(CLI::Range(2, 100'000))
      ->capture_default_str();
  command->add_option("--out", a->out, "text file to write")->required()->type_name("FILE");
  command->add_flag("--force", a->force, "replace what is there");
  command->callback([command, a] { run(*command, *a); });
}

}  // namespace twinage
